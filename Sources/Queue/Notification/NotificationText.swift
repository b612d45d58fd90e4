import Mail

/// The words of a notification for one reader, in one language.
///
/// What happened, to whom, why, and what the reader can do; the next hop's own words come last.
struct NotificationText {
    private let notification: DeliveryNotification
    private let hostName: String
    private let language: NotificationLanguage

    init(_ notification: DeliveryNotification, hostName: String, language: NotificationLanguage) {
        self.notification = notification
        self.hostName = hostName
        self.language = language
    }

    /// The whole text with CRLF lines.
    var body: String {
        var lines = opening
        for recipient in notification.recipients {
            lines.append("")
            lines.append("  <\(recipient.path.forwardPath)>")
            if notification.action == .failed || notification.action == .delayed {
                lines += wrapped(reason(for: recipient), indent: "    ")
                lines += answer(of: recipient)
            }
        }
        lines.append("")
        lines += closing
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    static func senderName(in language: NotificationLanguage) -> String {
        switch language {
        case .french: "Service de messagerie"
        case .english: "Mail delivery"
        }
    }

    static func subject(
        _ action: DeliveryNotification.Action,
        in language: NotificationLanguage
    ) -> String {
        switch (action, language) {
        case (.failed, .french): "Message non remis"
        case (.failed, .english): "Message not delivered"
        case (.delayed, .french): "Message retardé"
        case (.delayed, .english): "Message delayed"
        case (.delivered, .french): "Message remis"
        case (.delivered, .english): "Message delivered"
        case (.relayed, .french): "Message transmis"
        case (.relayed, .english): "Message relayed"
        }
    }

    // MARK: Opening and closing

    private var opening: [String] {
        let date = dateText(notification.message.arrival)
        let text =
            switch (notification.action, language) {
            case (.failed, .french):
                "Votre message reçu le \(date) n'a pas pu être remis aux destinataires suivants."
            case (.failed, .english):
                "Your message received on \(date) could not be delivered to the following recipients."
            case (.delayed, .french):
                "Votre message reçu le \(date) n'a pas encore pu être remis aux destinataires suivants. Vous n'avez rien à faire : nous continuons d'essayer."
            case (.delayed, .english):
                "Your message received on \(date) has not yet been delivered to the following recipients. You need not do anything: we keep trying."
            case (.delivered, .french):
                "Votre message reçu le \(date) a été déposé dans la boîte des destinataires suivants."
            case (.delivered, .english):
                "Your message received on \(date) was placed in the mailbox of the following recipients."
            case (.relayed, .french):
                "Votre message reçu le \(date) a été transmis pour les destinataires suivants à un serveur qui n'envoie pas d'avis de remise ; vous n'en recevrez donc pas d'autre."
            case (.relayed, .english):
                "Your message received on \(date) was passed on, for the following recipients, to a server that does not report deliveries; you will not receive another notice."
            }
        return wrapped(greeting, indent: "") + [""] + wrapped(text, indent: "")
    }

    private var greeting: String {
        switch language {
        case .french: "Ceci est un avis automatique du serveur de messagerie \(hostName)."
        case .english: "This is an automatic notice from the mail server \(hostName)."
        }
    }

    private var closing: [String] {
        switch notification.action {
        case .delivered, .relayed:
            return []
        case .delayed:
            guard let until = notification.retryUntil else { return [] }
            let date = dateText(until)
            let text =
                switch language {
                case .french: "Les essais se poursuivent jusqu'au \(date)."
                case .english: "Attempts continue until \(date)."
                }
            return wrapped(text, indent: "")
        case .failed:
            let text =
                switch language {
                case .french:
                    "Aucun autre essai n'aura lieu. Les détails techniques et l'en-tête de votre message sont joints à cet avis."
                case .english:
                    "No further attempt will be made. Technical details and the header of your message are attached to this notice."
                }
            return wrapped(text, indent: "")
        }
    }

    // MARK: One recipient

    private func reason(for recipient: DeliveryNotification.Recipient) -> String {
        let reason = FailureReason(
            recipient.reply.status,
            isDelayed: notification.action == .delayed
        )
        return reason.text(in: language, domain: recipient.path.forwardPath.domain)
            + (givenUp(recipient).map { " " + $0 } ?? "")
    }

    /// How long a recipient was tried whose last reply was only a temporary failure.
    private func givenUp(_ recipient: DeliveryNotification.Recipient) -> String? {
        let hours = (recipient.lastAttempt - notification.message.arrival) / 3_600_000
        guard notification.action == .failed, recipient.reply.status.classDigit == 4, hours > 0
        else { return nil }
        let (count, isDays) = hours >= 48 ? (hours / 24, true) : (hours, false)
        switch language {
        case .french:
            let unit = isDays ? "jours" : count == 1 ? "heure" : "heures"
            return "Nous avons essayé pendant \(count) \(unit), sans succès."
        case .english:
            let unit = isDays ? "days" : count == 1 ? "hour" : "hours"
            return "We tried for \(count) \(unit), without success."
        }
    }

    private func answer(of recipient: DeliveryNotification.Recipient) -> [String] {
        let reply = recipient.reply
        let text = StatusText.printable(reply.text, keepingUTF8: true)
        guard !text.isEmpty else { return [] }
        let introduction =
            switch (reply.origin, language) {
            case (.remote, .french): "Réponse de \(reply.nextHop) :"
            case (.remote, .english): "\(reply.nextHop) said:"
            case (.local, .french): "Détail :"
            case (.local, .english): "Detail:"
            }
        return wrapped(introduction, indent: "    ") + wrapped(text, indent: "      ")
    }

    // MARK: Dates and lines

    /// As in "23 novembre 2026 à 16:05 (UTC)".
    private func dateText(_ milliseconds: Int64) -> String {
        let date = CivilDate(milliseconds)
        let clock = "\(MailDate.two(date.hour)):\(MailDate.two(date.minute)) (UTC)"
        switch language {
        case .french:
            let day = date.day == 1 ? "1er" : "\(date.day)"
            return "\(day) \(Self.frenchMonths[date.month - 1]) \(date.year) à \(clock)"
        case .english:
            return "\(date.day) \(Self.englishMonths[date.month - 1]) \(date.year) at \(clock)"
        }
    }

    private static let frenchMonths = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ]

    private static let englishMonths = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]

    /// Lines of at most 72 characters where words allow it.
    private func wrapped(_ text: String, indent: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if line.isEmpty {
                line = indent + word
            } else if line.count + word.count + 1 <= 72 {
                line += " " + word
            } else {
                lines.append(line)
                line = indent + word
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
