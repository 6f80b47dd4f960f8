internal import LinuxSystem

/// Versions that were frozen before the two that are compared, with as many sessions and runs each.
public struct SimulatedShelf: Sendable, Hashable {
    /// How many.
    public var versions: Int
    /// Every how many versions the cost changes for good; nil for never.
    public var stepEvery: Int?

    /// A shelf.
    public init(versions: Int, stepEvery: Int? = nil) {
        self.versions = versions
        self.stepEvery = stepEvery
    }

    /// A change of 5 to 30 %, up or down.
    func step(_ random: inout RandomNumbers) -> Double {
        let size = Mathematics.logarithmOfOnePlus(Double.random(in: 0.05...0.3, using: &random))
        return Bool.random(using: &random) ? size : -size
    }
}
