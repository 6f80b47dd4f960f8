import Testing

@testable import StackSampler

/// Which of a machine's processes are the target's.
struct FamilyMembershipTests {
    private func membership(
        _ parents: [Int32: Int32] = [:], members: [Int32] = [], awaitsExec: Bool = false
    ) -> FamilyMembership {
        FamilyMembership(root: 100, members: members, awaitsExec: awaitsExec) { parents[$0] }
    }

    private func members(_ family: inout FamilyMembership, of processes: [Int32]) -> [Int32] {
        processes.filter { family.contains($0) }
    }

    @Test(
        "Children of members are members, children of others are not, and an identifier that is used again is new"
    )
    func forks() {
        var family = membership([7: 1])
        family.fork(101, from: 100)
        family.fork(102, from: 101)
        family.fork(200, from: 7)
        #expect(members(&family, of: [100, 101, 102, 7, 200]) == [100, 101, 102])
        family.fork(102, from: 7)
        family.fork(200, from: 101)
        #expect(members(&family, of: [102, 200]) == [200])
        // A thread is no new process.
        family.fork(101, from: 101)
        #expect(members(&family, of: [101]) == [101])
    }

    @Test("A process that no record reported is found by its ancestors, however many lie between")
    func ancestors() {
        var family = membership([5: 4, 4: 3, 3: 100, 9: 8, 8: 1])
        #expect(members(&family, of: [5, 9]) == [5])
        // A circle, as a table read while it changes may show, ends.
        var circle = membership([5: 6, 6: 5])
        #expect(members(&circle, of: [5, 0, -1]).isEmpty)
    }

    @Test("A command belongs to the target from its exec on, and what it starts with it")
    func exec() {
        var family = membership(awaitsExec: true)
        #expect(members(&family, of: [100]).isEmpty)
        family.exec(55)
        #expect(members(&family, of: [100]).isEmpty)
        family.exec(100)
        #expect(members(&family, of: [100]) == [100])
    }

    @Test("After lost records foreign processes are asked about anew, and members stay")
    func doubt() {
        var parents: [Int32: Int32] = [9: 1]
        var family = FamilyMembership(root: 100, members: [101], awaitsExec: false) { parents[$0] }
        #expect(members(&family, of: [9]).isEmpty)
        parents = [9: 101]
        #expect(members(&family, of: [9]).isEmpty)
        family.doubt()
        #expect(members(&family, of: [9, 101]) == [9, 101])
    }
}
