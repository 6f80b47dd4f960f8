internal import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// How measured values scatter, on the scale of natural logarithms.
public struct NoiseModel: Sendable {
    /// The standard deviation of a run within its session.
    public var runDeviation: Double
    /// The standard deviation of a session.
    public var sessionDeviation: Double
    /// How sessions differ; their deviation says by how much.
    public enum SessionShape: String, Sendable, CaseIterable {
        case normal
        /// Two kinds, as many of each, 10 % apart.
        case twoKinds = "two kinds, half and half"
        /// One in five of a slow kind, 10 % slower.
        case rareKind = "two kinds, one in five slow"
        /// Four in five of a slow kind.
        case commonKind = "two kinds, four in five slow"
        /// Exponential: never faster, sometimes much slower.
        case skewed
        /// Student's t with 2 degrees of freedom.
        case heavyTailed = "heavy tails"
        /// Normal, each correlated by 0.3 with the one before it, across versions too.
        case correlated = "correlated by 0.3"
    }
    public var sessionShape = SessionShape.normal
    /// The share of the new version's runs that stall, and how many times as long these take.
    public var stalls = 0.0
    public var stallFactor = 4.0

    /// What all sessions of a version have in common, because they were measured on one occasion: its standard deviation.
    public var occasionDeviation = 0.0

    /// The share of runs that something disturbs, each by about 15 %.
    public var disturbedShare = 0.05
    /// By how much a session gets slower from its start to its end.
    public var drift = 0.0

    /// How far the machine's speed has wandered at random by a session's end: its standard deviation. The pipeline's times
    /// and the canary's feel it alike.
    public var wander = 0.0
    /// The standard deviation of a repetition of the canary.
    private static let canaryDeviation = 0.02

    /// Noise of a session and of its runs.
    public init(runDeviation: Double, sessionDeviation: Double, drift: Double = 0) {
        self.runDeviation = runDeviation
        self.sessionDeviation = sessionDeviation
        self.drift = drift
    }

    /// The values of a session's runs around a level.
    ///
    /// - Parameter speed: What the machine's speed adds before and after each run.
    func session(
        runs: Int, level: Double, own: Double, speed: [Double], stalls: Double, _ random: inout RandomNumbers
    ) -> [Double] {
        (0..<runs).map { index in
            let machine = (speed[index] + speed[index + 1]) / 2
            return Mathematics.exponential(
                level + own + machine + drift * Double(index) / Double(runs) + run(&random)
                    + stall(stalls, &random))
        }
    }

    /// What one session adds to all its runs.
    ///
    /// - Parameter last: The session before it, where sessions are correlated.
    func sessionEffect(after last: inout Double?, _ random: inout RandomNumbers) -> Double {
        func kind(_ share: Double) -> Double {
            (Double.random(in: 0..<1, using: &random) < share ? Mathematics.logarithmOfOnePlus(0.1) : 0)
                + 0.0005 * random.normal()
        }
        switch sessionShape {
        case .normal: return sessionDeviation * random.normal()
        case .twoKinds: return kind(0.5)
        case .rareKind: return kind(0.2)
        case .commonKind: return kind(0.8)
        case .skewed:
            return -sessionDeviation * Logarithm.natural(Double.random(in: 1e-300..<1, using: &random))
        case .heavyTailed:
            let half = -Logarithm.natural(Double.random(in: 1e-300..<1, using: &random))
            return sessionDeviation * random.normal() / half.squareRoot()
        case .correlated:
            let fresh = random.normal()
            let value = last.map { 0.3 * $0 + (1 - 0.09).squareRoot() * fresh } ?? fresh
            last = value
            return sessionDeviation * value
        }
    }

    private func stall(_ share: Double, _ random: inout RandomNumbers) -> Double {
        guard share > 0, Double.random(in: 0..<1, using: &random) < share else { return 0 }
        return Logarithm.natural(stallFactor)
    }

    /// The machine's speed before the first run of a session and after each.
    func speed(runs: Int, _ random: inout RandomNumbers) -> [Double] {
        var speed = [0.0]
        for _ in 0..<runs {
            speed.append(speed[speed.count - 1] + wander / Double(runs).squareRoot() * random.normal())
        }
        return speed
    }

    /// A canary that was timed at the start, in the middle and at the end of a session.
    func canary(_ speed: [Double], _ random: inout RandomNumbers) -> Canary {
        let moments: [(Canary.Moment, Int)] = [
            (.start, 0), (.middle, speed.count / 2), (.end, speed.count - 1),
        ]
        var canary = Canary(name: "simulated")
        for (moment, place) in moments {
            canary.repetitions[moment] = .value(
                (0..<5).map { _ in
                    Mathematics.exponential(speed[place] + Self.canaryDeviation * random.normal())
                })
        }
        return canary
    }

    /// The values of runs made in turn: pairs of an old and a new run, in random order.
    func pairs(_ count: Int, change: Double, _ random: inout RandomNumbers) -> (old: [Double], new: [Double])
    {
        var old: [Double] = []
        var new: [Double] = []
        for pair in 0..<count {
            let oldIsFirst = Bool.random(using: &random)
            func value(
                _ isFirst: Bool, _ level: Double, _ stalls: Double, _ random: inout RandomNumbers
            ) -> Double {
                let time = (2 * Double(pair) + (isFirst ? 0 : 1)) / Double(2 * count)
                return Mathematics.exponential(level + drift * time + run(&random) + stall(stalls, &random))
            }
            old.append(value(oldIsFirst, 0, 0, &random))
            new.append(value(!oldIsFirst, change, stalls, &random))
        }
        return (old, new)
    }

    private func run(_ random: inout RandomNumbers) -> Double {
        var value = runDeviation * random.normal()
        if Double.random(in: 0..<1, using: &random) < disturbedShare {
            value += (0.14 + 0.03 * random.normal()).magnitude
        }
        return value
    }
}
