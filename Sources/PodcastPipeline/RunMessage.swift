/// Something that a person is told while a run proceeds.
public struct RunMessage: Equatable, Sendable {
    /// One line.
    public var text: String
    /// Whether it tells of something that failed or was lost.
    public var isProblem: Bool

    /// A message.
    public init(_ text: String, isProblem: Bool = false) {
        self.text = text
        self.isProblem = isProblem
    }
}
