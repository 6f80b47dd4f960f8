/// A measured value, or the reason there is none.
///
/// A missing value is never a zero: code that prints, freezes or compares a reading has to decide
/// what to do with `unavailable`, and can print the reason.
public enum Reading<Value> {
    /// What was measured.
    case value(Value)
    /// Why nothing was measured, as a short phrase without a final stop.
    case unavailable(reason: String)

    /// The value, or nil where there is none.
    public var value: Value? {
        switch self {
        case .value(let value): value
        case .unavailable: nil
        }
    }

    /// The reason there is no value, or nil where there is one.
    public var unavailableReason: String? {
        switch self {
        case .value: nil
        case .unavailable(let reason): reason
        }
    }

    /// The reading of a value derived from this one.
    public func map<Derived>(_ transform: (Value) -> Derived) -> Reading<Derived> {
        switch self {
        case .value(let value): .value(transform(value))
        case .unavailable(let reason): .unavailable(reason: reason)
        }
    }
}

extension Reading {
    /// The reading that a value leads to.
    public func flatMap<Next>(_ next: (Value) -> Reading<Next>) -> Reading<Next> {
        switch self {
        case .value(let value): next(value)
        case .unavailable(let reason): .unavailable(reason: reason)
        }
    }
}

extension Reading: Equatable where Value: Equatable {}
extension Reading: Hashable where Value: Hashable {}
extension Reading: Sendable where Value: Sendable {}
