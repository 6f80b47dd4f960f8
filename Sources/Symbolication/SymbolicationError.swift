internal import Measurement

/// Why the symbols of an image cannot be read.
public enum SymbolicationError: Error, Equatable, CustomStringConvertible {
    /// The image has no bytes; the reason as a phrase.
    case noContent(image: String, reason: String)
    /// The bytes are no ELF file that we read; the reason as a phrase.
    case notReadable(image: String, reason: String)
    /// libdw refused the image; its own words.
    case library(image: String, reason: String)

    /// One sentence.
    public var description: String { "Cannot name functions of '\(safeImage)': \(reason)." }

    /// The reason alone, for the many addresses of such an image.
    public var reason: String {
        switch self {
        case .noContent(_, let reason), .notReadable(_, let reason): reason
        case .library(_, let reason): "libdw says: \(PlainText.sanitized(reason, maximumCharacters: 200))"
        }
    }

    private var safeImage: String {
        switch self {
        case .noContent(let image, _), .notReadable(let image, _), .library(let image, _):
            PlainText.sanitized(image)
        }
    }
}
