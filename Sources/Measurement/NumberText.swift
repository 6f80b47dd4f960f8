extension Double {
    /// The number with a fixed count of decimals, in plain notation, rounded half away from zero.
    ///
    /// Not-a-number and the infinities print as `nan`, `inf` and `-inf`. Written here because the
    /// monitor child must not touch Foundation's formatting (docs/architecture.md, "Memory").
    public func fixed(_ decimals: Int) -> String {
        guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
        let scale = Double.powersOfTen[min(max(decimals, 0), Double.powersOfTen.count - 1)]
        let scaled = (magnitude * scale).rounded()
        guard scaled < 9e15 else { return "\(self)" }
        let (whole, fraction) = Int64(scaled).quotientAndRemainder(dividingBy: Int64(scale))
        let sign = self < 0 && scaled > 0 ? "-" : ""
        return decimals > 0 ? "\(sign)\(whole).\(fraction.zeroPadded(to: decimals))" : "\(sign)\(whole)"
    }

    private static let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}

extension BinaryInteger {
    /// The number in decimal, with leading zeros up to a width.
    public func zeroPadded(to width: Int) -> String {
        let digits = String(magnitude)
        let zeros = String(repeating: "0", count: max(0, width - digits.count))
        return (self < 0 ? "-" : "") + zeros + digits
    }
}

extension String {
    /// The text followed by spaces up to a width in cells of a terminal.
    public func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - CellWidth.of(self)))
    }

    /// The text preceded by spaces up to a width in cells of a terminal.
    public func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - CellWidth.of(self))) + self
    }
}
