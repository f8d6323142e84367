// The files that a server keeps its data in. A rehearsal must not load them: that takes as long,
// and as much memory, as the server itself took.
#ifndef MCR_UPDATE_DATA_SET_H_
#define MCR_UPDATE_DATA_SET_H_

#include <string>
#include <vector>

namespace mcr::update {

// Regular files in `directory`, and in the directories in it, whose path from there matches one of
// the shell patterns; named as files of `shown_as`, which is the directory's name for the server.
// None for a server that works in the root directory.
std::vector<std::string> FindDataSet(const std::string& directory, const std::string& shown_as,
                                     const std::vector<std::string>& patterns);

}  // namespace mcr::update

#endif  // MCR_UPDATE_DATA_SET_H_
