#include "pair.h"

class Shape {
 public:
  explicit Shape(int number) : id(number) {}
  virtual ~Shape() = default;
  virtual long Volume() const { return 10 * Area() + painted; }
  virtual int Area() const = 0;
  long painted = 0;
  int id;
};

class Named {
 public:
  virtual ~Named() = default;
  virtual int Name() const = 0;
};

static const char* CheckOwn(const Shape* shape) {
  EXPECT(shape->painted == 0 && shape->Volume() == 60);
  return nullptr;
}

#include "program.h"

int pair_version() { return 2; }
