"""A library that the distribution installs, as a dependency for cc rules."""

def _system_library_impl(ctx):
    compilation = cc_common.create_compilation_context(
        # System includes, so that our warning flags do not apply. cc_library's `includes` ignores
        # absolute paths; below /usr/include they are fine, because Bazel takes it for built in.
        system_includes = depset(ctx.attr.include_dirs),
        defines = depset(ctx.attr.defines),
    )
    linker_input = cc_common.create_linker_input(
        owner = ctx.label,
        user_link_flags = depset(ctx.attr.linkopts),
    )
    linking = cc_common.create_linking_context(linker_inputs = depset([linker_input]))
    own = CcInfo(compilation_context = compilation, linking_context = linking)
    deps = [dep[CcInfo] for dep in ctx.attr.deps]
    return [cc_common.merge_cc_infos(direct_cc_infos = [own], cc_infos = deps)]

system_library = rule(
    implementation = _system_library_impl,
    attrs = {
        "defines": attr.string_list(doc = "Preprocessor definitions for the users."),
        "deps": attr.label_list(providers = [CcInfo]),
        "include_dirs": attr.string_list(doc = "Directories below /usr/include, besides itself."),
        "linkopts": attr.string_list(),
    },
    provides = [CcInfo],
)
