public import LinuxProcess
internal import Measurement

/// Names the code of one image: address to function, file, line and inlined calls, through elfutils' libdw.
///
/// Addresses are those the file states (`ImageAddress`), the return addresses among them already less one. Each
/// address is looked up once; ask for unique ones, after the run. Confined to the thread that made it.
public struct Symbolicator: ~Copyable {
    /// What is looked up beyond the function's name.
    public struct Options: Hashable, Sendable {
        /// Files and lines. Costs the reading of the debug information.
        public var lines: Bool
        /// Inlined calls, with lines. Costs a walk through the debug information of each function.
        public var inlines: Bool

        public init(lines: Bool = true, inlines: Bool = false) {
            self.lines = lines
            self.inlines = inlines
        }
    }

    /// What was found in an image, for a report on the quality of its symbols.
    public struct Summary: Hashable, Sendable {
        /// Addresses asked for, and those with a function, with a line.
        public var addresses = 0
        public var named = 0
        public var located = 0
        /// Symbols of code the image has.
        public var symbols = 0
        /// Whether the image has debug information.
        public var hasDebugInformation = false
        /// The separate file symbols or debug information came from, safe to show; nil where there is none.
        public var debugFile: String?
        /// Parts of the debug information that could not be read.
        public var unreadable = 0
    }

    /// What was found so far.
    public var summary: Summary {
        var summary = counts
        summary.symbols = symbols.count
        summary.hasDebugInformation = debugInformation != nil
        summary.debugFile = session.debugFile.map { DisplayText.safe($0) }
        summary.unreadable = debugInformation?.unreadable ?? 0
        return summary
    }

    private let session: DwflSession
    private let symbols: SymbolTable
    private let debugInformation: DebugInformation?
    private let options: Options
    private var linkage: ProcedureLinkage?
    private var names: [String: FunctionName] = [:]
    private var counts = Summary()

    /// Opens an image and reads its symbols.
    ///
    /// - Parameter progress: Called now and then with how far the reading is, from 0 to 1.
    public init(
        _ image: ProgramImage, options: Options = Options(), progress: (Double) -> Void = { _ in }
    ) throws(SymbolicationError) {
        session = try DwflSession(image)
        self.options = options
        symbols = SymbolReader(module: session.module, elf: session.elf, bias: session.bias)
            .table(segments: session.segments, progress: progress)
        debugInformation =
            options.lines || options.inlines
            ? DebugInformation(session) : nil
    }

    /// What is known about each of some addresses.
    ///
    /// - Parameter progress: Called now and then with how far it is, from 0 to 1.
    public mutating func symbolize(
        _ addresses: some Sequence<ImageAddress>, progress: (Double) -> Void = { _ in }
    ) -> [ImageAddress: SymbolizedAddress] {
        var result: [ImageAddress: SymbolizedAddress] = [:]
        // In order, so that what is next to each other in the file is read together.
        let sorted = Set(addresses).sorted()
        for (index, address) in sorted.enumerated() {
            if index.isMultiple(of: 256) { progress(Double(index) / Double(sorted.count)) }
            let symbolized = symbolize(address.value)
            counts.addresses += 1
            counts.named += symbolized.function.value == nil ? 0 : 1
            counts.located += symbolized.position?.line == nil ? 0 : 1
            result[address] = symbolized
        }
        return result
    }

    private mutating func symbolize(_ address: UInt64) -> SymbolizedAddress {
        var result = function(at: address)
        guard let debugInformation else { return result }
        if options.lines || options.inlines { result.position = debugInformation.position(of: address) }
        guard options.inlines || result.function.value == nil,
            let function = debugInformation.function(at: address)
        else { return result }
        if result.function.value == nil, let name = function.name {
            let named = functionName(name.text)
            result.function = .value(named.display)
            result.key = named.key
            result.mangled = named.mangled
            result.offset = address &- function.lowestAddress
        }
        if options.inlines { addInlined(function.inlined, to: &result) }
        return result
    }

    /// Each call's position is where it was called, that is, in the function around it: positions move outwards.
    private mutating func addInlined(
        _ calls: [DebugInformation.InlinedCall], to result: inout SymbolizedAddress
    ) {
        var position = result.position
        for call in calls.reversed() {
            let name = functionName(call.name?.text ?? "")
            result.inlined.append(
                InlinedFrame(
                    function: call.name == nil ? "(inlined function without a name)" : name.display,
                    key: name.key, mangled: call.name?.isLinkageName == true ? name.mangled : nil,
                    position: position))
            position = call.callPosition
        }
        result.position = position
    }

    private mutating func function(at address: UInt64) -> SymbolizedAddress {
        if let index = symbols.index(holding: address) {
            let name = functionName(symbols[index].name.text)
            return SymbolizedAddress(
                function: .value(name.display), key: name.key, mangled: name.mangled,
                offset: address - symbols[index].address)
        }
        guard let section = symbols.section(holding: address) else {
            return .unknown("the address lies in no code of the file")
        }
        if let callee = callee(ofStubAt: address, in: section) {
            let name = functionName(callee)
            return SymbolizedAddress(
                function: .value(name.display + "@plt"), key: name.key + "@plt",
                mangled: name.mangled + "@plt")
        }
        return .unknown(
            symbols.count == 0 ? "the file has no symbols" : "no symbol of the file covers the address")
    }

    /// The forms of a name; demangling costs more than all the rest, so each name is demangled once.
    private mutating func functionName(_ name: String) -> FunctionName {
        if let known = names[name] { return known }
        let made = FunctionName(name)
        names[name] = made
        return made
    }

    private mutating func callee(ofStubAt address: UInt64, in section: CodeSection) -> String? {
        guard section.name.hasPrefix(".plt") || section.name.hasPrefix(".iplt") else { return nil }
        let symbols = symbols
        let linkage =
            self.linkage
            ?? ProcedureLinkage(elf: session.elf) { address in
                symbols.index(holding: address).map { symbols[$0].name.text }
            }
        self.linkage = linkage
        guard let name = linkage.name(ofStubAt: address, in: section) else { return nil }
        return String(NormalizedName.withoutVersion(Substring(name)))
    }
}

/// A function's name in the forms that are handed out.
private struct FunctionName {
    let display: String
    let key: String
    let mangled: String

    init(_ name: String) {
        display = Demangling.displayName(of: String(NormalizedName.withoutVersion(Substring(name))))
        key = NormalizedName.key(for: name)
        mangled = DisplayText.safe(name)
    }
}
