import NIOCore
import Wire

/// One connection of an SMTP or LMTP load, as a classic handler: no task, no copies of bodies.
///
/// RFC 5321 §3, RFC 2033 §4, RFC 2920 §3.1
final class SMTPSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Why the session is over.
    enum End {
        case planOver
        case reconnect
        case lost(String)
    }

    private enum Expected {
        case greeting, hello, startTLS, hello2, auth, mail, rcpt, data, end, rset, quit
    }

    private struct Transaction {
        var start: NIODeadline
        var message: MessageSource.Message
        var users: [Int]
        var accepted: [Int] = []
        var replied = 0
        var refusal: String?
    }

    private let user: Int
    private let sender: String
    private let connector: Connector
    private let job: SMTPJob
    private let ended: (End) -> Void
    private var inbound = ByteBuffer()
    private var expected = CircularBuffer<Expected>()
    private var transaction: Transaction?
    private var pipelining = false
    private var sent = 0
    private var end = End.lost("the server closed the connection")

    private static let endOfData = ByteBuffer(string: ".\r\n")

    init(user: Int, connector: Connector, job: SMTPJob, ended: @escaping (End) -> Void) {
        self.user = user
        sender = job.load.sender.name(user)
        self.connector = connector
        self.job = job
        self.ended = ended
        expected.append(.greeting)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended(end)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .lost = end { end = .lost("\(error)") }
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
        while let lineFeed = inbound.readableBytesView.firstIndex(of: .lf) {
            let length = lineFeed - inbound.readerIndex + 1
            guard let line = inbound.readSlice(length: length) else { return }
            read(line, context: context)
        }
    }

    private func read(_ line: ByteBuffer, context: ChannelHandlerContext) {
        let view = line.readableBytesView
        guard view.count >= 4, let digit = view.first, digit.isDigit else {
            return lose("not a reply: \(String(buffer: line))", context)
        }
        if expected.first == .hello || expected.first == .hello2,
            view.dropFirst(4).startsIgnoringCase(with: "PIPELINING")
        {
            pipelining = job.load.pipelining == .whenAnnounced
        }
        if view.dropFirst(3).first == 0x2D { return }
        guard let step = expected.popFirst() else {
            return lose("unasked: \(String(buffer: line))", context)
        }
        take(step, reply: Reply(line: line, digit: digit), context)
    }

    private struct Reply {
        let line: ByteBuffer
        let digit: UInt8
        var isPositive: Bool { digit == 0x32 }
        var text: String { String(String(buffer: line).prefix { !$0.isNewline }) }
    }

    // The states of a session, in order: greeting, hello, (startTLS, hello2,) (auth,) then for each
    // message mail, rcpt, data, end, and at last quit.
    private func take(_ step: Expected, reply: Reply, _ context: ChannelHandlerContext) {
        switch step {
        case .greeting, .hello, .startTLS, .hello2, .auth:
            guard reply.isPositive else { return lose(reply.text, context) }
            opened(step, context)
        case .mail, .rcpt, .data:
            envelope(step, reply: reply, context)
        case .end:
            acknowledged(reply, context)
        case .rset:
            next(context)
        case .quit:
            context.close(promise: nil)
        }
    }

    private func opened(_ step: Expected, _ context: ChannelHandlerContext) {
        let hello = (job.load.language == .lmtp ? "LHLO" : "EHLO") + " load.bench.test\r\n"
        switch step {
        case .greeting:
            say(hello, .hello, context)
        case .hello where connector.endpoint.security == .startTLS:
            say("STARTTLS\r\n", .startTLS, context)
        case .startTLS:
            do { try connector.startTLS(context.channel) } catch {
                return lose("\(error)", context)
            }
            pipelining = false
            say(hello, .hello2, context)
        case .hello, .hello2:
            guard let login = job.load.login else { return next(context) }
            let name = login.names.name(user)
            let secret = Base64.encode(Array("\0\(name)\0\(login.password)".utf8))
            say("AUTH PLAIN \(secret)\r\n", .auth, context)
        default:
            next(context)
        }
    }

    /// Begins the next message, or takes leave.
    private func next(_ context: ChannelHandlerContext) {
        let limit = job.load.messagesPerConnection
        if limit > 0, sent >= limit {
            end = .reconnect
            return say("QUIT\r\n", .quit, context)
        }
        guard let index = job.plan.take() else {
            end = .planOver
            return say("QUIT\r\n", .quit, context)
        }
        sent += 1
        let users = job.recipients(of: index)
        let recipients = users.map { job.load.recipients.name($0) }
        transaction = Transaction(
            start: .now(),
            message: job.source.message(
                index,
                from: sender,
                to: recipients.first ?? ""
            ),
            users: users
        )
        let mail = "MAIL FROM:<\(sender)>\r\n"
        guard pipelining else { return say(mail, .mail, context) }
        var group = mail
        expected.append(.mail)
        for recipient in recipients {
            group += "RCPT TO:<\(recipient)>\r\n"
            expected.append(.rcpt)
        }
        say(group + "DATA\r\n", .data, context)
    }

    private func envelope(_ step: Expected, reply: Reply, _ context: ChannelHandlerContext) {
        guard var current = transaction else { return }
        let positive = step == .data ? reply.digit == 0x33 : reply.isPositive
        if !positive, current.refusal == nil { current.refusal = reply.text }
        if step == .rcpt {
            let user = current.users[current.replied]
            current.replied += 1
            if positive { current.accepted.append(user) }
        }
        transaction = current
        if step == .data {
            positive ? send(current, context) : abandon(current, context)
        } else if !pipelining {
            if step == .mail, !positive {
                abandon(current, context)
            } else if current.replied < current.users.count {
                let name = job.load.recipients.name(current.users[current.replied])
                say("RCPT TO:<\(name)>\r\n", .rcpt, context)
            } else if current.accepted.isEmpty {
                abandon(current, context)
            } else {
                say("DATA\r\n", .data, context)
            }
        }
    }

    private func send(_ current: Transaction, _ context: ChannelHandlerContext) {
        let replies = job.load.language == .lmtp ? max(1, current.accepted.count) : 1
        transaction?.replied = 0
        for _ in 0..<replies { expected.append(.end) }
        for piece in current.message.pieces { context.write(wrapOutboundOut(piece), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(Self.endOfData), promise: nil)
    }

    private func acknowledged(_ reply: Reply, _ context: ChannelHandlerContext) {
        guard var current = transaction else { return }
        let byRecipient = job.load.language == .lmtp
        if reply.isPositive {
            let users = byRecipient ? [current.accepted[current.replied]] : current.accepted
            job.delivered.add(to: users)
        } else if current.refusal == nil {
            current.refusal = reply.text
        }
        current.replied += 1
        transaction = current
        if byRecipient, current.replied < current.accepted.count { return }
        transaction = nil
        if let refusal = current.refusal {
            job.recorder.fail(refusal)
        } else {
            job.recorder.finish(since: current.start, bytes: current.message.size)
        }
        next(context)
    }

    private func abandon(_ current: Transaction, _ context: ChannelHandlerContext) {
        job.recorder.fail(current.refusal ?? "refused")
        transaction = nil
        say("RSET\r\n", .rset, context)
    }

    private func say(_ text: String, _ step: Expected, _ context: ChannelHandlerContext) {
        expected.append(step)
        var buffer = context.channel.allocator.buffer(capacity: text.utf8.count)
        buffer.writeString(text)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func lose(_ reason: String, _ context: ChannelHandlerContext) {
        end = .lost(reason)
        context.close(promise: nil)
    }
}
