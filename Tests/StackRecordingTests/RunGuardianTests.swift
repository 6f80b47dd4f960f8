import Testing

@testable import StackRecording

@Suite("The guardian of a run")
struct RunGuardianTests {
    @Test("The guardian understands orders that arrive in pieces")
    func orders() {
        var orders = RunGuardian.Orders()
        for piece in ["workspace /tmp/a b\ngu", "ard 47", "11\n"] { orders.take(Array(piece.utf8)) }
        #expect(orders.group == 4711 && orders.workspace == "/tmp/a b" && !orders.isOver)
        orders.take(Array("orphan 12\norphan x\norphan 13\n".utf8))
        #expect(orders.orphans == [12, 13])
        orders.take(Array("release\nguard x\nend\n".utf8))
        #expect(orders.group == nil && orders.orphans.isEmpty && orders.isOver)
    }
}
