#include "mcr/profile/learn.h"

#include <algorithm>
#include <map>
#include <set>

namespace mcr::profile {
namespace {

// Enough to tell points apart, and few enough for the next version to have them, too.
constexpr size_t kFunctions = 3;
constexpr int kLeastLooks = 2;

struct Point {
  bool main = false;  // of the main thread
  std::string system_call;
  std::vector<std::string> functions;
  auto operator<=>(const Point&) const = default;
};

// "f.part.0" is a part of f that a compiler made.
std::string SourceName(const std::string& function) {
  return function.substr(0, function.find('.'));
}

Point PointOf(const Sighting& sighting) {
  Point point{sighting.pid == sighting.tid, sighting.system_call, {}};
  for (const std::string& function : sighting.functions) {
    if (point.functions.size() == kFunctions || function == "_start") break;
    point.functions.push_back(SourceName(function));
  }
  return point;
}

using Points = std::map<Point, int>;  // and how often

struct Class {
  Points points;
  std::set<pid_t> processes;
};

bool SharesMainPoint(const Points& a, const Points& b) {
  return std::ranges::any_of(
      a, [&](const auto& entry) { return entry.first.main && b.contains(entry.first); });
}

// Processes that wait at the same points; those of one process do so by definition.
std::vector<Class> Classes(const std::map<pid_t, Points>& by_process) {
  std::vector<Class> classes;
  for (const auto& [pid, points] : by_process) {
    Class merged{points, {pid}};
    std::erase_if(classes, [&](const Class& other) {
      if (!SharesMainPoint(other.points, merged.points)) return false;
      for (const auto& [point, count] : other.points) merged.points[point] += count;
      merged.processes.insert(other.processes.begin(), other.processes.end());
      return true;
    });
    classes.push_back(std::move(merged));
  }
  return classes;
}

profiles::Role RoleOf(const Class& members, const std::set<pid_t>& at_first) {
  profiles::Role role;
  // The main thread's first; else in an order that does not depend on how often each was seen.
  std::vector<const Point*> order;
  for (const auto& [point, count] : members.points) order.push_back(&point);
  std::ranges::stable_partition(order, &Point::main);
  role.set_name(order.front()->functions.back());
  const bool stays =
      std::ranges::any_of(members.processes, [&](pid_t pid) { return at_first.contains(pid); });
  role.set_persistence(stays ? profiles::Role::PERSISTENT : profiles::Role::VOLATILE);
  for (const Point* point : order) {
    profiles::QuiescentPoint& added = *role.add_quiescent_points();
    added.set_thread_class(point->main ? "main" : point->functions.back());
    added.set_system_call(point->system_call);
    for (const std::string& function : point->functions) added.add_call_stack(function);
  }
  return role;
}

bool SamePoint(const profiles::QuiescentPoint& a, const profiles::QuiescentPoint& b) {
  const int shorter = std::min(a.call_stack_size(), b.call_stack_size());
  return a.system_call() == b.system_call() && shorter > 0 &&
         std::equal(a.call_stack().begin(), a.call_stack().begin() + shorter,
                    b.call_stack().begin());
}

void KeepNames(const profiles::Role& from, profiles::Role& to) {
  for (profiles::QuiescentPoint& point : *to.mutable_quiescent_points()) {
    for (const profiles::QuiescentPoint& known : from.quiescent_points()) {
      if (!SamePoint(known, point)) continue;
      to.set_name(from.name());
      if (!known.thread_class().empty()) point.set_thread_class(known.thread_class());
    }
  }
}

}  // namespace

profiles::Learned Learn(const std::vector<Look>& looks) {
  Points seen;
  for (const Look& look : looks) {
    std::set<Point> now;
    for (const Sighting& sighting : look.waiting) {
      if (!sighting.functions.empty()) now.insert(PointOf(sighting));
    }
    for (const Point& point : now) ++seen[point];
  }
  std::map<pid_t, Points> by_process;
  for (const Look& look : looks) {
    for (const Sighting& sighting : look.waiting) {
      if (sighting.functions.empty()) continue;
      const Point point = PointOf(sighting);
      if (seen[point] >= kLeastLooks) ++by_process[sighting.pid][point];
    }
  }
  profiles::Learned learned;
  if (looks.empty()) return learned;
  for (const Class& members : Classes(by_process)) {
    *learned.add_roles() = RoleOf(members, looks.front().processes);
  }
  return learned;
}

void KeepHandWritten(const profiles::Profile& from, profiles::Profile& to) {
  *to.mutable_identity() = from.identity();
  *to.mutable_annotations() = from.annotations();
  if (!from.has_annotations()) to.clear_annotations();
  *to.mutable_learned()->mutable_data_set() = from.learned().data_set();
  for (profiles::Role& role : *to.mutable_learned()->mutable_roles()) {
    for (const profiles::Role& known : from.learned().roles()) KeepNames(known, role);
  }
}

}  // namespace mcr::profile
