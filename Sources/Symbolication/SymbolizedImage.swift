public import LinuxProcess

/// The addresses of one image with what is known about them, whether or not its symbols could be read.
public struct SymbolizedImage: Sendable {
    /// An entry for every address that was asked for.
    public var addresses: [ImageAddress: SymbolizedAddress]
    /// What the image had to offer; nil where it could not be opened.
    public var summary: Symbolicator.Summary?
    /// Why the image could not be opened, as a sentence; nil where it could.
    public var failure: String?

    /// Names the addresses of an image. One that cannot be opened leaves every address without a name, with the
    /// reason.
    ///
    /// - Parameter progress: Called now and then with how far it is, from 0 to 1.
    public init(
        _ image: ProgramImage, _ addresses: some Collection<ImageAddress>,
        options: Symbolicator.Options = Symbolicator.Options(), progress: (Double) -> Void = { _ in }
    ) {
        progress(0)
        do throws(SymbolicationError) {
            // Reading the symbols of a large file takes far longer than looking up what was seen of it.
            var symbolicator = try Symbolicator(image, options: options) { progress(0.9 * $0) }
            self.addresses = symbolicator.symbolize(addresses) { progress(0.9 + 0.1 * $0) }
            summary = symbolicator.summary
        } catch {
            let reason = error.reason
            self.addresses = Dictionary(
                addresses.map { ($0, SymbolizedAddress.unknown(reason)) },
                uniquingKeysWith: { first, _ in first })
            failure = error.description
        }
    }
}
