// Types and constants of Rust's "v0" mangling.
extension RustName {
    private static func basicType(_ byte: UInt8) -> String? {
        switch Unicode.Scalar(byte) {
        case "a": "i8"
        case "b": "bool"
        case "c": "char"
        case "d": "f64"
        case "e": "str"
        case "f": "f32"
        case "h": "u8"
        case "i": "isize"
        case "j": "usize"
        case "l": "i32"
        case "m": "u32"
        case "n": "i128"
        case "o": "u128"
        case "p": "_"
        case "s": "i16"
        case "t": "u16"
        case "u": "()"
        case "v": "..."
        case "x": "i64"
        case "y": "u64"
        case "z": "!"
        default: nil
        }
    }

    /// Prints a type.
    mutating func printType() -> Bool {
        nested { $0.printTypeUnchecked() }
    }

    private mutating func printTypeUnchecked() -> Bool {
        guard let tag = peek else { return false }
        if let name = Self.basicType(tag) {
            position += 1
            print(name)
            return true
        }
        switch Unicode.Scalar(tag) {
        case "C", "M", "X", "Y", "N", "I": return printPath(inValue: false)
        default: position += 1
        }
        switch Unicode.Scalar(tag) {
        case "R": return printReference("&")
        case "Q": return printReference("&mut ")
        case "P":
            print("*const ")
            return printType()
        case "O":
            print("*mut ")
            return printType()
        case "A", "S": return printArray(hasLength: tag == UInt8(ascii: "A"))
        case "T": return printTuple()
        case "F": return withBinder { $0.printFunctionType() }
        case "D": return printTraitObject()
        case "B": return backReference { $0.printType() }
        default: return false
        }
    }

    private mutating func printReference(_ sigil: String) -> Bool {
        print(sigil.prefix(1))
        if take("L") {
            guard let lifetime = base62() else { return false }
            if lifetime > 0 {
                guard printLifetime(lifetime) else { return false }
                print(" ")
            }
        }
        print(sigil.dropFirst())
        return printType()
    }

    private mutating func printArray(hasLength: Bool) -> Bool {
        print("[")
        guard printType() else { return false }
        if hasLength {
            print("; ")
            guard printConstant() else { return false }
        }
        print("]")
        return true
    }

    private mutating func printTuple() -> Bool {
        print("(")
        guard let count = printList({ $0.printType() }) else { return false }
        print(count == 1 ? ",)" : ")")
        return true
    }

    private mutating func printFunctionType() -> Bool {
        if take("U") { print("unsafe ") }
        if take("K") {
            guard let abi = take("C") ? "C" : identifier() else { return false }
            print("extern \"\(String(abi.map { $0 == "_" ? "-" : $0 }))\" ")
        }
        print("fn(")
        guard printList({ $0.printType() }) != nil else { return false }
        print(")")
        if take("u") { return true }
        print(" -> ")
        return printType()
    }

    private mutating func printTraitObject() -> Bool {
        print("dyn ")
        let isPrinted = withBinder { $0.printList(separator: " + ") { $0.printTraitWithBindings() } != nil }
        guard isPrinted, take("L"), let lifetime = base62() else { return false }
        guard lifetime > 0 else { return true }
        print(" + ")
        return printLifetime(lifetime)
    }

    private mutating func printTraitWithBindings() -> Bool {
        var isOpen = false
        guard printLeftOpenPath(&isOpen) else { return false }
        while take("p") {
            print(isOpen ? ", " : "<")
            isOpen = true
            guard let name = identifier() else { return false }
            print(name + " = ")
            guard printType() else { return false }
        }
        if isOpen { print(">") }
        return true
    }

    private mutating func printLeftOpenPath(_ isOpen: inout Bool) -> Bool {
        if take("B") {
            var result = false
            let isPrinted = backReference { $0.printLeftOpenPath(&result) }
            isOpen = result
            return isPrinted
        }
        guard take("I") else { return printPath(inValue: false) }
        isOpen = true
        return printGeneric(inValue: false, isLeftOpen: true)
    }

    /// Prints what stands under an optional `for<'a, …>`.
    private mutating func withBinder(_ body: (inout RustName) -> Bool) -> Bool {
        let outer = boundLifetimes
        defer { boundLifetimes = outer }
        if take("G") {
            guard let count = base62(), count < 64 else { return false }
            let names = (outer...outer + Int(count)).map(Self.lifetimeName)
            print("for<\(names.joined(separator: ", "))> ")
            boundLifetimes = outer + Int(count) + 1
        }
        return body(&self)
    }

    /// Prints a constant: an integer, a boolean or a character. Others are left mangled.
    mutating func printConstant() -> Bool {
        if take("B") { return backReference { $0.printConstant() } }
        guard let tag = next() else { return false }
        switch Unicode.Scalar(tag) {
        case "p":
            print("_")
            return true
        case "h", "t", "m", "y", "o", "j", "a", "s", "l", "x", "n", "i":
            let isNegative = take("n")
            guard let digits = hexadecimal() else { return false }
            // Longer than 64 bits: stays as it is.
            print((isNegative ? "-" : "") + (UInt64(digits, radix: 16).map { "\($0)" } ?? "0x\(digits)"))
            return true
        case "b":
            guard let digits = hexadecimal(), digits == "0" || digits == "1" else { return false }
            print(digits == "1" ? "true" : "false")
            return true
        case "c":
            guard let value = hexadecimal().flatMap({ UInt32($0, radix: 16) }).flatMap(Unicode.Scalar.init)
            else { return false }
            print("'\(value.escaped(asASCII: true))'")
            return true
        default: return false
        }
    }

    private mutating func hexadecimal() -> String? {
        var digits = ""
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "_"): return digits.isEmpty ? "0" : digits
            case 0x30...0x39, 0x61...0x66: digits.append(Character(Unicode.Scalar(byte)))
            default: return nil
            }
        }
        return nil
    }
}
