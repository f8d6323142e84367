#include "tracer/sys/side_work.h"

#include <pthread.h>

#include <utility>

#include "tracer/sys/background.h"

namespace mcr::tracer {

// A thread that begins where it is to run: one that has to move there itself waits first until its
// creator, who has work of its own, leaves it a slice of this processor.
class SideWork::Helper {
 public:
  Helper(SideWork& work, const cpu_set_t& processors) : work_(work) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setaffinity_np(&attributes, sizeof processors, &processors);
    started_ = pthread_create(&thread_, &attributes, Run, this) == 0;
    pthread_attr_destroy(&attributes);
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper() {
    if (started_) pthread_join(thread_, nullptr);
  }

  void MakeWayNoMore() { background_.Leave(); }

 private:
  static void* Run(void* argument) {
    auto& helper = *static_cast<Helper*>(argument);
    helper.background_.Enter();
    helper.work_.Work(true);
    return nullptr;
  }

  SideWork& work_;
  Background background_;
  pthread_t thread_ = {};
  bool started_ = false;  // without it the others do its work
};

SideWork::SideWork(const cpu_set_t& others) {
  for (int i = 0; i < CPU_COUNT(&others); ++i) {
    helpers_.push_back(std::make_unique<Helper>(*this, others));
  }
}

SideWork::~SideWork() {
  {
    const std::lock_guard lock(mutex_);
    pieces_.resize(next_);
  }
  Close();
}

void SideWork::Add(std::function<Status()> piece) {
  const std::lock_guard lock(mutex_);
  pieces_.push_back(std::move(piece));
  done_.emplace_back();
  changed_.notify_one();
}

void SideWork::Work(bool awaits_more) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (awaits_more) changed_.wait(lock, [this] { return closed_ || next_ < pieces_.size(); });
    if (next_ >= pieces_.size()) return;
    const size_t mine = next_++;
    const std::function<Status()> piece = std::move(pieces_[mine]);
    lock.unlock();
    Status done = piece();
    lock.lock();
    done_[mine] = std::move(done);
  }
}

void SideWork::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (const auto& helper : helpers_) helper->MakeWayNoMore();
  Work(false);
  helpers_.clear();
}

Status SideWork::Finish() {
  Close();
  for (Status& status : done_) MCR_TRY(std::move(status));
  return {};
}

}  // namespace mcr::tracer
