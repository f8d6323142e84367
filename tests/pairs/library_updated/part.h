typedef int (*part_function)(int);
struct part {
  struct part* next;
};
int part_version(void);
int part_ask(int question);
int part_calls(void);
part_function part_choose(void);
void part_add(struct part* part);
int part_count(void);
extern int part_limit;
