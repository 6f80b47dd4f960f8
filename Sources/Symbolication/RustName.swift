/// Rust's "v0" mangling (RFC 2603), the default of today's compilers.
///
/// Prints paths without crate hashes and types in full. Names are untrusted: depth, steps and output are bounded,
/// as back references let a short name stand for an endless one.
struct RustName {
    /// The demangled name; nil when it is not one of that kind or uses what this does not know.
    static func path(of name: String) -> String? {
        guard name.hasPrefix("_R"), name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var printer = RustName(Array(name.utf8.dropFirst(2)))
        // A digit here would be the version of a later encoding.
        guard let first = printer.peek, !(0x30...0x39).contains(first), printer.printPath(inValue: true)
        else { return nil }
        return String(decoding: printer.output, as: UTF8.self)
    }

    static let outputLimit = 8192
    static let depthLimit = 128
    static let stepLimit = 20000

    var output: [UInt8] = []
    var position = 0
    /// How many lifetimes the binders around the current place introduce.
    var boundLifetimes = 0
    private let bytes: [UInt8]
    private var depth = 0
    private var stepsLeft = RustName.stepLimit
    private var isMuted = false

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func next() -> UInt8? {
        guard let byte = peek else { return nil }
        position += 1
        return byte
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func print(_ text: some StringProtocol) {
        guard !isMuted, output.count < Self.outputLimit else { return }
        output.append(contentsOf: text.utf8)
    }

    /// Parses without printing.
    mutating func muted(_ body: (inout RustName) -> Bool) -> Bool {
        let wasMuted = isMuted
        isMuted = true
        defer { isMuted = wasMuted }
        return body(&self)
    }

    /// Parses one level deeper; false when that is too deep, too long or not parseable.
    mutating func nested(_ body: (inout RustName) -> Bool) -> Bool {
        guard depth < Self.depthLimit, stepsLeft > 0, output.count < Self.outputLimit else { return false }
        depth += 1
        stepsLeft -= 1
        defer { depth -= 1 }
        return body(&self)
    }

    /// Parses what stands at an earlier place.
    mutating func backReference(_ body: (inout RustName) -> Bool) -> Bool {
        let start = position - 1
        guard let target = base62(), target < UInt64(start) else { return false }
        // What is not printed need not be followed.
        if isMuted { return true }
        let resumed = position
        position = Int(target)
        defer { position = resumed }
        return nested(body)
    }

    /// `_` is 0, `0_` is 1, and so on.
    mutating func base62() -> UInt64? {
        if take("_") { return 0 }
        var value: UInt64 = 0
        while let byte = next() {
            let digit: UInt64
            switch byte {
            case UInt8(ascii: "_"): return value.addingReportingOverflow(1).overflow ? nil : value + 1
            case 0x30...0x39: digit = UInt64(byte - 0x30)
            case 0x61...0x7A: digit = UInt64(byte - 0x61) + 10
            case 0x41...0x5A: digit = UInt64(byte - 0x41) + 36
            default: return nil
            }
            let (product, overflows) = value.multipliedReportingOverflow(by: 62)
            guard !overflows, !product.addingReportingOverflow(digit).overflow else { return nil }
            value = product + digit
        }
        return nil
    }

    /// The number after `s`, counted from 1; 0 where there is none.
    mutating func disambiguator() -> UInt64? {
        guard take("s") else { return 0 }
        return base62().flatMap { $0 == .max ? nil : $0 + 1 }
    }

    /// An identifier without its disambiguator. Names beyond ASCII stay in Punycode and say so.
    mutating func identifier() -> String? {
        let isPunycode = take("u")
        var length = 0
        guard let first = peek, (0x30...0x39).contains(first) else { return nil }
        while let byte = peek, (0x30...0x39).contains(byte) {
            position += 1
            length = length * 10 + Int(byte - 0x30)
            guard length <= bytes.count else { return nil }
            if first == 0x30 { break }
        }
        _ = take("_")
        guard position + length <= bytes.count else { return nil }
        let name = String(decoding: bytes[position..<position + length], as: UTF8.self)
        position += length
        return isPunycode ? "punycode{\(name)}" : name
    }
}

// Paths.
extension RustName {
    /// Prints a path. In value context generic arguments come after `::<`, in type context after `<`.
    mutating func printPath(inValue: Bool) -> Bool {
        nested { $0.printPathUnchecked(inValue: inValue) }
    }

    private mutating func printPathUnchecked(inValue: Bool) -> Bool {
        switch next().map({ Unicode.Scalar($0) }) {
        case "C":
            guard disambiguator() != nil, let name = identifier() else { return false }
            print(name)
            return true
        case "N": return printNested(inValue: inValue)
        case "M": return skipImplPath() && printQualified(hasTrait: false)
        case "X": return skipImplPath() && printQualified(hasTrait: true)
        case "Y": return printQualified(hasTrait: true)
        case "I": return printGeneric(inValue: inValue, isLeftOpen: false)
        case "B": return backReference { $0.printPath(inValue: inValue) }
        default: return false
        }
    }

    private mutating func printNested(inValue: Bool) -> Bool {
        guard let namespace = next(), printPath(inValue: inValue), let number = disambiguator(),
            let name = identifier()
        else { return false }
        switch namespace {
        case 0x61...0x7A: if !name.isEmpty { print("::" + name) }
        case 0x41...0x5A:
            let kind =
                switch Unicode.Scalar(namespace) {
                case "C": "closure"
                case "S": "shim"
                default: String(Character(Unicode.Scalar(namespace)))
                }
            print("::{\(kind)\(name.isEmpty ? "" : ":" + name)#\(number)}")
        default: return false
        }
        return true
    }

    private mutating func skipImplPath() -> Bool {
        disambiguator() != nil && muted { $0.printPath(inValue: false) }
    }

    private mutating func printQualified(hasTrait: Bool) -> Bool {
        print("<")
        guard printType() else { return false }
        if hasTrait {
            print(" as ")
            guard printPath(inValue: false) else { return false }
        }
        print(">")
        return true
    }

    /// Prints a path with its arguments; left open, the closing bracket is for the caller to print.
    mutating func printGeneric(inValue: Bool, isLeftOpen: Bool) -> Bool {
        guard printPath(inValue: inValue) else { return false }
        print(inValue ? "::<" : "<")
        guard printList({ $0.printGenericArgument() }) != nil else { return false }
        if !isLeftOpen { print(">") }
        return true
    }

    private mutating func printGenericArgument() -> Bool {
        if take("L") {
            guard let lifetime = base62() else { return false }
            return printLifetime(lifetime)
        }
        return take("K") ? printConstant() : printType()
    }

    /// Prints elements up to `E`, separated; their number, or nil when one is not parseable.
    mutating func printList(
        separator: String = ", ", _ element: (inout RustName) -> Bool
    ) -> Int? {
        var count = 0
        while !take("E") {
            if count > 0 { print(separator) }
            guard peek != nil, element(&self) else { return nil }
            count += 1
        }
        return count
    }

    /// `'_` for an erased lifetime, else the letter its binder gave it.
    mutating func printLifetime(_ index: UInt64) -> Bool {
        guard index > 0 else {
            print("'_")
            return true
        }
        guard index <= UInt64(boundLifetimes) else { return false }
        print(Self.lifetimeName(boundLifetimes - Int(index)))
        return true
    }

    static func lifetimeName(_ position: Int) -> String {
        position < 26 ? "'" + String(Character(Unicode.Scalar(UInt8(0x61 + position)))) : "'_\(position)"
    }
}
