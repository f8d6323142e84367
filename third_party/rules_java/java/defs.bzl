"""What Bazel's own tools load from rules_java: the native rules under the same names.

Nothing here is Java, but Bazel reads its Java toolchains whenever it chooses a toolchain.
"""

java_import = native.java_import
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
