internal import CommandLineTool
internal import FrozenProfile

/// `--version` of the commands that freeze.
enum VersionOption {
    /// The version that was given.
    static func required(_ arguments: ParsedArguments) throws(ToolFailure) -> VersionName {
        guard let text = arguments.value("version") else {
            throw ToolFailure("Say which version is being frozen: --version v1.2.0.", .usage)
        }
        do throws(ProfileError) {
            return try VersionName(text)
        } catch {
            throw ToolFailure(error.description, .usage)
        }
    }
}
