// Strings, of which the short ones point into themselves, in variables and in changed objects.
#include <memory>
#include <string>

std::string title = "short";
static std::string motto = "a motto that is much too long to be kept inside of the string itself";
static User first{1, "one", "the first"};
static User* at_start;
static User* later;

void pair_start() { at_start = new User(2, "two", std::string(100, 't')); }

void pair_state() {
  title = "other";
  motto += "!";
  later = new User(3, "three", std::string(1000, 'x'));
  first.name = "uno";
}

static const char* CheckUser(const User& user, int id, const char* name, const std::string& text) {
  EXPECT(user.id == id && user.name == name && user.text == text);
  return nullptr;
}

const char* pair_check() {
  EXPECT(title == "other");
  EXPECT(motto == "a motto that is much too long to be kept inside of the string itself!");
  const char* wrong = CheckUser(first, 1, "uno", "the first");
  if (!wrong) wrong = CheckUser(*at_start, 2, "two", std::string(100, 't'));
  if (!wrong) wrong = CheckUser(*later, 3, "three", std::string(1000, 'x'));
  if (wrong) return wrong;
  User copy = *later;
  copy.name += " and more than fits into a short string";
  std::swap(copy, *later);
  EXPECT(later->name == "three and more than fits into a short string");
  std::swap(copy, *later);
  return nullptr;
}

void pair_end() {
  delete at_start;
  delete later;
}
