/// Why a file of settings beside the profiles could not be read: a sentence with the file, the place and the remedy.
public struct FileRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    /// A refusal.
    public init(description: String) {
        self.description = description
    }
}
