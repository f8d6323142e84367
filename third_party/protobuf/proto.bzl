"""Protocol buffers through the system's protoc."""

def mcr_proto_library(name, src, visibility = None):
    """A C++ library of the messages in one .proto file.

    Its header is included by its path from the workspace root: "profiles/profile.pb.h".

    Args:
      name: the cc_library.
      src: a .proto file of this package, without imports of other .proto files of this repository.
      visibility: of the cc_library.
    """
    stem = src[:-len(".proto")]
    header = stem + ".pb.h"
    source = stem + ".pb.cc"
    native.genrule(
        name = name + "_protoc",
        srcs = [src],
        outs = [header, source],
        cmd = "protoc -I. --cpp_out=$(GENDIR) $(location %s)" % src,
        message = "Generating",
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [source],
        hdrs = [header],
        # Generated code is not held to our warnings.
        copts = ["-w"],
        deps = ["//third_party/protobuf"],
        visibility = visibility,
    )
