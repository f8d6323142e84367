// Objects of virtual classes, reached through pointers to their bases: to the first, and to one in
// the middle of the object.
#include <memory>

class Square : public Shape, public Named {
 public:
  Square(int id, int side) : Shape(id), side_(side) {}
  int Area() const override { return side_ * side_; }
  int Name() const override { return 's'; }

 private:
  int side_;
};

class Box : public Square {
 public:
  Box(int id, int width, int height) : Square(id, width), height_(height) {}
  int Area() const override { return Square::Area() * height_; }
  int Name() const override { return 'b'; }

 private:
  int height_;
};

static Square global(1, 3);
static Shape* at_start;
static Shape* shapes[2];
static Named* named[3];

void pair_start() { at_start = new Box(2, 2, 5); }

void pair_state() {
  global.id = 11;
  Square* square = new Square(3, 4);
  Box* box = new Box(4, 1, 6);
  shapes[0] = square;
  shapes[1] = box;
  named[0] = &global;
  named[1] = square;
  named[2] = box;
}

const char* pair_check() {
  EXPECT(global.id == 11 && global.Area() == 9);
  EXPECT(at_start->id == 2 && at_start->Area() == 20);
  EXPECT(shapes[0]->id == 3 && shapes[0]->Area() == 16);
  EXPECT(shapes[1]->id == 4 && shapes[1]->Area() == 6);
  EXPECT(named[0]->Name() == 's' && named[1]->Name() == 's' && named[2]->Name() == 'b');
  EXPECT(dynamic_cast<Shape*>(named[0]) == &global);
  EXPECT(dynamic_cast<Box*>(shapes[1]) == named[2]);
  EXPECT(dynamic_cast<Box*>(shapes[0]) == nullptr);
  return CheckOwn(shapes[1]);
}

void pair_end() {
  delete at_start;
  delete shapes[0];
  delete shapes[1];
}
