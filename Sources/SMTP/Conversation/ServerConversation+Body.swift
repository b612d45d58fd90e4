import Wire

extension ServerConversation {
    // MARK: DATA

    mutating func data(_ arguments: ArraySlice<UInt8>) -> Request? {
        guard arguments.isEmpty else {
            refuseSyntax(.argumentSyntax)
            return nil
        }
        guard let transaction else {
            refuseSyntax(.mailNeeded)
            return nil
        }
        guard transaction.sink == nil, !transaction.hasFailed else {
            refuseSyntax(.chunksBegun)
            return nil
        }
        guard transaction.mail.body != .binaryMIME else {
            refuseSyntax(.binaryNeedsBDAT)
            return nil
        }
        guard transaction.recipients > 0 else {
            refuseWithoutRecipients(transaction)
            return nil
        }
        waiting = .data
        return .bodyBegins(expected: transaction.mail.size)
    }

    // A pipelining client sends DATA before it has read that every RCPT failed: no error of its own.
    // RFC 2920 §3.1, RFC 2033 §4.2
    private mutating func refuseWithoutRecipients(_ transaction: Transaction) {
        if transaction.refused == 0 {
            refuseSyntax(.recipientNeeded)
        } else {
            replyIdle(dialect == .lmtp ? .recipientNeeded : .noValidRecipients)
        }
    }

    mutating func readData() -> Progress {
        guard case .data(var decoder) = mode, var sink = transaction?.sink else {
            mode = .command
            return .advanced
        }
        guard position < input.count else { return .starved }
        transaction?.sink = nil
        let end = decoder.decode(input, from: position, into: &sink)
        transaction?.sink = sink
        guard sink.count - limits.messageSize <= limits.discardedOctets else {
            close(with: .messageTooBig)
            return .advanced
        }
        guard let end else {
            mode = .data(decoder)
            position = input.count
            return .starved
        }
        mode = .command
        position = end
        return messageEnded(decoder.flaws)
    }

    // MARK: BDAT

    mutating func bdat(_ arguments: ArraySlice<UInt8>) -> Request? {
        // Without a size, nobody can say where the next command begins.
        guard let command = BdatCommand(arguments) else {
            reply(.argumentSyntax)
            close(with: .tooManyErrors)
            return nil
        }
        let excess = command.size - limits.messageSize
        guard excess <= limits.discardedOctets else {
            close(with: .messageTooBig)
            return nil
        }
        guard let transaction, !transaction.hasFailed, transaction.recipients > 0 else {
            let wereAllRefused = transaction.map { !$0.hasFailed && $0.refused > 0 } ?? false
            let reply: Reply =
                wereAllRefused && dialect == .smtp ? .noValidRecipients : .chunkOutOfOrder
            mode = .discardedChunk(remaining: command.size, reply: reply)
            return nil
        }
        if transaction.sink == nil {
            waiting = .chunk(command)
            return .bodyBegins(expected: command.isLast ? command.size : transaction.mail.size)
        }
        mode = .chunk(remaining: command.size, isLast: command.isLast)
        return nil
    }

    mutating func discardChunk(_ remaining: Int, _ answer: Reply) -> Progress {
        let available = min(remaining, input.count - position)
        position += available
        if available < remaining {
            mode = .discardedChunk(remaining: remaining - available, reply: answer)
            return .starved
        }
        mode = .command
        if answer == .chunkOutOfOrder {
            refuseSyntax(answer)
        } else if answer.code == .unavailable {
            close(with: answer)
        } else {
            replyIdle(answer)
        }
        return .advanced
    }

    mutating func readChunk(_ remaining: Int, _ isLast: Bool) -> Progress {
        guard var open = transaction, var sink = open.sink else {
            mode = .command
            return .advanced
        }
        let available = min(remaining, input.count - position)
        if available > 0 {
            // Out of the transaction while it grows, or it would be copied.
            transaction = nil
            open.sink = nil
            let isBinary = open.mail.body == .binaryMIME
            input.withUnsafeBufferPointer { buffer in
                sink.append(buffer, position..<(position + available))
                if !isBinary {
                    open.checker.check(
                        UnsafeBufferPointer(rebasing: buffer[position..<(position + available)])
                    )
                }
            }
            open.sink = sink
            transaction = open
            position += available
        }
        guard available == remaining else {
            mode = .chunk(remaining: remaining - available, isLast: isLast)
            return .starved
        }
        mode = .command
        if isLast {
            open.checker.finish()
            return messageEnded(open.checker.flaws)
        }
        if sink.isOverLimit {
            // The rest of the message is no longer wanted. RFC 3030 §2
            transaction?.hasFailed = true
            transaction?.sink = nil
            reply(open.abandonment ?? .messageTooBig)
        } else {
            let progress = Reply(.ok, .other, "\(sink.count) octets so far")
            if remaining == 0 { replyIdle(progress) } else { reply(progress) }
        }
        return .advanced
    }

    // MARK: The end of the message

    private mutating func messageEnded(_ flaws: MessageFlaws) -> Progress {
        guard var open = transaction, let sink = open.sink else { return .advanced }
        open.sink = nil
        idleCommands = 0
        waiting = .message
        transaction = open
        let refusal: Reply? =
            if let abandonment = open.abandonment {
                abandonment
            } else if sink.isOverLimit {
                .messageTooBig
            } else if flaws.contains(.bareLineEnding) {
                .bareLineEndingInMessage
            } else if flaws.contains(.null) {
                .nullInMessage
            } else if flaws.contains(.lineTooLong) {
                .textLineTooLong
            } else {
                nil
            }
        if let refusal {
            finish(refusal)
            return .request(.messageRefused(refusal))
        }
        return .request(
            .message(ReceivedMessage(bytes: sink.bytes, size: sink.count, body: open.mail.body))
        )
    }
}
