int part_version(void);
// How many functions are active in it, as unwinding tells.
int part_depth(void);
// Ends its thread by unwinding the functions of the library; the thread's result is `answer` +
// version.
void* part_end_thread(void* answer);
int part_cleaned_up(void);
