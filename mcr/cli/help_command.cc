#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "mcr/cli/command.h"
#include "mcr/cli/help_topics.h"

namespace mcr::cli {
namespace {

std::string Topics() {
  std::string names;
  for (const HelpTopic& topic : kHelpTopics) {
    names += (names.empty() ? "" : ", ") + std::string(topic.name);
  }
  return names;
}

int Run(const CLI::App& app, const std::string& wanted) {
  if (wanted.empty()) {
    std::printf("%s\nTopics of `mcr help TOPIC`: %s.\n", app.help().c_str(), Topics().c_str());
    return 0;
  }
  const auto topic = std::ranges::find(kHelpTopics, wanted, &HelpTopic::name);
  if (topic != std::end(kHelpTopics)) {
    std::printf("%.*s", static_cast<int>(topic->text.size()), topic->text.data());
    return 0;
  }
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() != wanted) continue;
    std::fputs(command->help(app.get_name()).c_str(), stdout);
    return 0;
  }
  PrintError("usage",
             "no help about \"" + wanted + "\"; there is: " + Topics() + ", and each command");
  return kUsage;
}

}  // namespace

void AddHelp(CLI::App& app, int& status) {
  auto topic = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("help", "Help about a command or a topic");
  command->add_option("topic", *topic, "a command, or one of: " + Topics())->type_name("TOPIC");
  command->callback([topic, &app, &status] { status = Run(app, *topic); });
}

}  // namespace mcr::cli
