#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mutator/filter/bound.h"
#include "mutator/filter/names.h"
#include "mutator/filter/near_names.h"
#include "mutator/filter/type_lookup.h"
#include "mutator/filter/value_type.h"

namespace mcr::mutator {
namespace {

using Shape = ValueType::Kind;
using Kind = Bound::Kind;

class Binder {
 public:
  Binder(std::string_view source, const FilterNames::Programs& programs)
      : source_(source), programs_(programs), names_(programs) {}

  Result<Bound> Bind(const Syntax& syntax) {
    MCR_ASSIGN(Bound bound, BindNode(syntax));
    bound.source = Source(syntax);
    return bound;
  }

  // Something that is true or false.
  Result<Bound> BindScalar(const Syntax& syntax) {
    MCR_ASSIGN(Bound bound, Bind(syntax));
    MCR_TRY(CheckScalar(syntax, bound));
    return bound;
  }

 private:
  Result<Bound> BindNode(const Syntax& syntax) {
    switch (syntax.kind) {
      case Syntax::Kind::kNumber:
        return Number(syntax.number, !syntax.is_unsigned && syntax.number <= uint64_t{INT64_MAX});
      case Syntax::Kind::kText: {
        Bound bound;
        bound.kind = Kind::kText;
        bound.type.kind = Shape::kText;
        bound.text = syntax.text;
        return bound;
      }
      case Syntax::Kind::kName:
        return Name(syntax);
      case Syntax::Kind::kUnary:
        return Unary(syntax);
      case Syntax::Kind::kBinary:
        return Binary(syntax);
      case Syntax::Kind::kConditional:
        return Conditional(syntax);
      case Syntax::Kind::kMember:
      case Syntax::Kind::kArrow:
        return Field(syntax);
      case Syntax::Kind::kIndex:
        return Index(syntax);
      case Syntax::Kind::kCast:
        return Cast(syntax);
    }
    return Wrong(syntax, "not an expression");
  }

  std::string Source(const Syntax& syntax) const {
    return std::string(source_.substr(syntax.begin, syntax.end - syntax.begin));
  }

  tl::unexpected<Error> Wrong(const Syntax& syntax, std::string what,
                              std::string advice = "") const {
    return Fail(std::move(what), ColumnOf(source_, syntax.begin), std::move(advice));
  }

  static Bound Number(uint64_t number, bool is_signed) {
    Bound bound;
    bound.number = number;
    bound.type.is_signed = is_signed;
    return bound;
  }

  Result<Bound> Name(const Syntax& syntax) {
    const auto named = names_.Find(syntax.unit, syntax.text);
    if (!named) return Wrong(syntax, named.error().what, named.error().advice);
    if (named->enumerator) return Number(static_cast<uint64_t>(*named->enumerator), true);
    Bound bound;
    bound.module = named->module;
    const TypeTable& types = programs_[named->module]->types();
    if (named->function != nullptr) {
      bound.kind = Kind::kFunction;
      bound.address = named->function->range.begin();
      bound.type = TypeOf(types, named->function->type);
      bound.type.kind = Shape::kFunction;
      return bound;
    }
    const Variable& variable = *named->variable;
    if (variable.thread_local_storage) {
      return Wrong(syntax, fmt::format("`{}` has a value in every thread", syntax.text));
    }
    if (variable.type == 0) {
      return Wrong(syntax, fmt::format("the type of `{}` is not known", syntax.text),
                   "it has no debug information: cast its address, as in *(int *)&" + syntax.text);
    }
    bound.kind = Kind::kVariable;
    bound.is_place = true;
    bound.address = variable.range.begin();
    bound.type = TypeOf(types, variable.type);
    return bound;
  }

  Result<Bound> Unary(const Syntax& syntax) {
    MCR_ASSIGN(Bound operand, BindAddressable(syntax));
    if (syntax.op == Operator::kDereference) return Dereference(syntax, std::move(operand));
    if (syntax.op == Operator::kAddress) return Address(syntax, std::move(operand));
    const Syntax& inner = syntax.children[0];
    if (syntax.op == Operator::kNot) {
      MCR_TRY(CheckScalar(inner, operand));
    } else {
      MCR_TRY(CheckInteger(inner, operand));
    }
    Bound bound;
    bound.kind = Kind::kUnary;
    bound.op = syntax.op;
    bound.type.is_signed =
        syntax.op == Operator::kNot || operand.type.is_signed || operand.type.size < 8;
    bound.children.push_back(std::move(operand));
    return bound;
  }

  // `&x` is how something without a known type can be used at all.
  Result<Bound> BindAddressable(const Syntax& syntax) {
    const Syntax& inner = syntax.children[0];
    if (syntax.op != Operator::kAddress || inner.kind != Syntax::Kind::kName) return Bind(inner);
    const auto named = names_.Find(inner.unit, inner.text);
    if (!named || named->variable == nullptr || named->variable->thread_local_storage) {
      return Bind(inner);
    }
    Bound bound;
    bound.kind = Kind::kVariable;
    bound.is_place = true;
    bound.module = named->module;
    bound.address = named->variable->range.begin();
    bound.type = TypeOf(programs_[named->module]->types(), named->variable->type);
    bound.source = Source(inner);
    return bound;
  }

  Result<Bound> Dereference(const Syntax& syntax, Bound operand) {
    const bool is_pointer =
        operand.type.kind == Shape::kPointer || operand.type.kind == Shape::kArray;
    if (!is_pointer) {
      return Wrong(
          syntax, fmt::format("`{}` is no pointer but {}", operand.source, Describe(operand.type)));
    }
    Bound bound;
    bound.kind = Kind::kDereference;
    bound.is_place = true;
    bound.type = TypeOf(*operand.type.types, operand.type.types->Definition(operand.type.target));
    if (bound.type.kind == Shape::kVoid) {
      return Wrong(syntax, fmt::format("nothing says what `{}` points to", operand.source),
                   "cast it, as in (struct item *)" + operand.source);
    }
    bound.children.push_back(std::move(operand));
    return bound;
  }

  Result<Bound> Address(const Syntax& syntax, Bound operand) {
    if (!operand.is_place || operand.bit_size != 0) {
      return Wrong(syntax, fmt::format("`{}` has no address", operand.source));
    }
    Bound bound;
    bound.kind = Kind::kAddress;
    bound.type.kind = Shape::kPointer;
    bound.type.is_signed = false;
    bound.type.types = operand.type.types;
    bound.type.target = operand.type.id;
    bound.children.push_back(std::move(operand));
    return bound;
  }

  Result<Bound> Field(const Syntax& syntax) {
    MCR_ASSIGN(Bound owner, Bind(syntax.children[0]));
    const bool is_arrow = syntax.kind == Syntax::Kind::kArrow;
    const bool is_pointer = owner.type.kind == Shape::kPointer;
    if (is_arrow != is_pointer && (is_pointer || owner.type.kind == Shape::kRecord)) {
      return Wrong(syntax, fmt::format("`{}` is {}", owner.source, Describe(owner.type)),
                   is_pointer ? "use `->`" : "use `.`");
    }
    if (is_arrow && is_pointer) {
      const std::string source = owner.source;
      MCR_ASSIGN(owner, Dereference(syntax, std::move(owner)));
      owner.source = source;
    }
    if (owner.type.kind != Shape::kRecord) {
      return Wrong(syntax,
                   fmt::format("`{}` has no fields: it is {}", owner.source, Describe(owner.type)));
    }
    const TypeTable& types = *owner.type.types;
    const TypeId record = types.Definition(owner.type.id);
    if (types[record].is_declaration) {
      return Wrong(syntax, fmt::format("{} is only declared, not defined", Describe(owner.type)));
    }
    const auto found = FindMember(types, record, syntax.text);
    if (!found) {
      std::vector<std::string> names;
      for (const Member& member : types[record].members) names.push_back(member.name);
      return Wrong(syntax, fmt::format("{} has no field `{}`", Describe(owner.type), syntax.text),
                   NearNames(syntax.text, names));
    }
    Bound bound;
    bound.kind = Kind::kMember;
    bound.is_place = true;
    bound.number = found->offset;
    bound.bit_offset = found->member->bit_offset;
    bound.bit_size = found->member->bit_size;
    bound.type = TypeOf(types, found->member->type);
    bound.children.push_back(std::move(owner));
    return bound;
  }

  Result<Bound> Index(const Syntax& syntax) {
    MCR_ASSIGN(Bound array, Bind(syntax.children[0]));
    MCR_ASSIGN(Bound index, Bind(syntax.children[1]));
    MCR_TRY(CheckInteger(syntax.children[1], index));
    if (array.type.kind != Shape::kPointer && array.type.kind != Shape::kArray) {
      return Wrong(syntax,
                   fmt::format("`{}` is no array but {}", array.source, Describe(array.type)));
    }
    Bound bound;
    bound.kind = Kind::kIndex;
    bound.is_place = true;
    bound.type = TypeOf(*array.type.types, array.type.types->Definition(array.type.target));
    if (bound.type.kind == Shape::kVoid || bound.type.size == 0) {
      return Wrong(syntax,
                   fmt::format("the size of what `{}` points to is not known", array.source));
    }
    bound.children.push_back(std::move(array));
    bound.children.push_back(std::move(index));
    return bound;
  }

  Result<Bound> Conditional(const Syntax& syntax) {
    Bound bound;
    bound.kind = Kind::kConditional;
    for (const Syntax& child : syntax.children) {
      MCR_ASSIGN(Bound part, BindScalar(child));
      bound.children.push_back(std::move(part));
    }
    const ValueType& yes = bound.children[1].type;
    const ValueType& no = bound.children[2].type;
    bound.type = yes.kind == Shape::kInteger ? no : yes;
    if (yes.kind == Shape::kInteger && no.kind == Shape::kInteger) bound.type = Common(yes, no);
    return bound;
  }

  Result<Bound> Binary(const Syntax& syntax) {
    MCR_ASSIGN(Bound left, Bind(syntax.children[0]));
    MCR_ASSIGN(Bound right, Bind(syntax.children[1]));
    if (left.kind == Kind::kText || right.kind == Kind::kText) {
      return CompareText(syntax, std::move(left), std::move(right));
    }
    MCR_TRY(CheckScalar(syntax.children[0], left));
    MCR_TRY(CheckScalar(syntax.children[1], right));
    Bound bound;
    bound.kind = Kind::kBinary;
    bound.op = syntax.op;
    MCR_ASSIGN(bound.type, TypeOfBinary(syntax, left, right));
    bound.children.push_back(std::move(left));
    bound.children.push_back(std::move(right));
    return bound;
  }

  Result<ValueType> TypeOfBinary(const Syntax& syntax, const Bound& left, const Bound& right) {
    switch (syntax.op) {
      case Operator::kOr:
      case Operator::kAnd:
      case Operator::kEqual:
      case Operator::kNotEqual:
      case Operator::kLess:
      case Operator::kLessEqual:
      case Operator::kGreater:
      case Operator::kGreaterEqual:
        return ValueType{};
      default:
        break;
    }
    const bool from_left = left.type.kind != Shape::kInteger;
    const bool from_right = right.type.kind != Shape::kInteger;
    const bool moves = syntax.op == Operator::kAdd || syntax.op == Operator::kSubtract;
    if (from_left && moves && !from_right) return Pointer(syntax, left);
    if (from_right && !from_left && syntax.op == Operator::kAdd) return Pointer(syntax, right);
    if (from_left && from_right && syntax.op == Operator::kSubtract) {
      MCR_ASSIGN(const ValueType a, Pointer(syntax, left));
      MCR_ASSIGN(const ValueType b, Pointer(syntax, right));
      if (Step(a) == Step(b)) return ValueType{};
      return Wrong(syntax, "pointers to values of different sizes have no difference");
    }
    MCR_TRY(CheckInteger(syntax.children[0], left));
    MCR_TRY(CheckInteger(syntax.children[1], right));
    return Common(left.type, right.type);
  }

  static uint64_t Step(const ValueType& pointer) {
    return TypeOf(*pointer.types, pointer.target).size;
  }

  Result<ValueType> Pointer(const Syntax& syntax, const Bound& bound) {
    ValueType type = bound.type;
    if (type.kind == Shape::kFunction || Step(type) == 0) {
      return Wrong(syntax,
                   fmt::format("the size of what `{}` points to is not known", bound.source));
    }
    type.kind = Shape::kPointer;
    type.size = 8;
    type.id = 0;
    return type;
  }

  // All is computed in 64 bits.
  static ValueType Common(const ValueType& a, const ValueType& b) {
    ValueType type;
    type.is_signed = (a.is_signed || a.size < 8) && (b.is_signed || b.size < 8);
    return type;
  }

  Result<Bound> CompareText(const Syntax& syntax, Bound left, Bound right) {
    if (syntax.op != Operator::kEqual && syntax.op != Operator::kNotEqual) {
      return Wrong(syntax, "texts are only compared with `==` and `!=`");
    }
    if (left.kind == Kind::kText) std::swap(left, right);
    const bool is_array = left.type.kind == Shape::kPointer || left.type.kind == Shape::kArray;
    const bool of_characters = is_array &&
                               TypeOf(*left.type.types, left.type.target).kind == Shape::kInteger &&
                               TypeOf(*left.type.types, left.type.target).size == 1;
    if (!of_characters) {
      return Wrong(syntax, fmt::format("a text is compared with `{}`, which is {}", left.source,
                                       Describe(left.type)));
    }
    Bound bound;
    bound.kind = Kind::kCompareText;
    bound.op = syntax.op;
    bound.children.push_back(std::move(left));
    bound.children.push_back(std::move(right));
    return bound;
  }

  Result<Bound> Cast(const Syntax& syntax) {
    MCR_ASSIGN(Bound operand, BindScalar(syntax.children[0]));
    Bound bound;
    bound.kind = Kind::kCast;
    const TypeTable* types = operand.type.types;
    const auto type = TypeNamed(syntax.type, types ? *types : programs_.front()->types());
    if (!type) return Wrong(syntax, type.error().what);
    bound.type = *type;
    bound.children.push_back(std::move(operand));
    return bound;
  }

  Status CheckScalar(const Syntax& syntax, const Bound& bound) const {
    if (bound.type.is_scalar()) return {};
    const std::string what = fmt::format("`{}` is {}", Source(syntax), Describe(bound.type));
    if (bound.type.kind == Shape::kRecord) return Wrong(syntax, what, "name one of its fields");
    if (bound.type.kind == Shape::kFloat) {
      return Wrong(syntax, what, "floating-point numbers are not compared");
    }
    return Wrong(syntax, what + ", not a number or pointer");
  }

  Status CheckInteger(const Syntax& syntax, const Bound& bound) const {
    MCR_TRY(CheckScalar(syntax, bound));
    if (bound.type.kind == Shape::kInteger) return {};
    return Wrong(syntax,
                 fmt::format("`{}` is {}, not an integer", Source(syntax), Describe(bound.type)));
  }

  std::string_view source_;
  const FilterNames::Programs& programs_;
  FilterNames names_;
};

}  // namespace

Result<Bound> BindFilter(std::string_view source, const Syntax& syntax,
                         const std::vector<std::shared_ptr<const Program>>& programs) {
  return Binder(source, programs).BindScalar(syntax);
}

}  // namespace mcr::mutator
