/// A line for a person while a run proceeds.
public struct RunMessage: Equatable, Sendable {
    /// One line.
    public var text: String
    /// Whether it reports something that failed or was lost.
    public var isProblem: Bool

    /// A message.
    public init(_ text: String, isProblem: Bool = false) {
        self.text = text
        self.isProblem = isProblem
    }
}
