//! Compares the tables of fields with the structs in the sources of chat-proto.

use super::section;

const SOURCES: [&str; 10] = [
    include_str!("../../crates/proto/src/handshake.rs"),
    include_str!("../../crates/proto/src/request.rs"),
    include_str!("../../crates/proto/src/reply.rs"),
    include_str!("../../crates/proto/src/event.rs"),
    include_str!("../../crates/proto/src/logged.rs"),
    include_str!("../../crates/proto/src/logged/moderation.rs"),
    include_str!("../../crates/proto/src/logged/rooms.rs"),
    include_str!("../../crates/proto/src/moderation.rs"),
    include_str!("../../crates/proto/src/ids.rs"),
    include_str!("../../crates/proto/src/text_body.rs"),
];

/// Structs that are no bodies, and stand in bodies.
const VALUES: [&str; 10] = [
    "Nonce",
    "Position",
    "Limits",
    "Member",
    "AccountInfo",
    "InvitationInfo",
    "Message",
    "TextBody",
    "Context",
    "BanInfo",
];

/// A field and its type, as the document writes it.
type Field = (String, String);

#[test]
fn every_body_has_a_table_of_its_fields_in_order() {
    for kind in chat_proto::Kind::ALL {
        let table = section(&format!("#### 0x{:04X} {kind:?}\n", *kind as u16));
        assert_eq!(told_in(table), fields_of(&format!("{kind:?}")), "{kind:?}");
    }
}

#[test]
fn every_value_inside_bodies_has_a_table_of_its_fields_in_order() {
    let values = section("### Values inside messages");
    for value in VALUES {
        let start = values.find(&format!("\n**{value}** ")).expect("the value is told");
        let table = &values[start + 3..];
        let table = &table[..table.find("\n**").unwrap_or(table.len())];
        assert_eq!(told_in(table), fields_of(value), "{value}");
    }
}

#[test]
fn the_head_of_logged_events_is_told() {
    let logs = section("## Logs, cursors, positions");
    let mut head = fields_of("LoggedHead");
    "first".clone_into(&mut head[0].0);
    let told: Vec<Field> = rows(logs).take(head.len()).collect();
    assert_eq!(told, head);
}

fn told_in(table: &str) -> Vec<Field> {
    let end = table.find("\n#").unwrap_or(table.len());
    rows(&table[..end]).collect()
}

/// The rows of tables whose columns are field, type and meaning.
fn rows(text: &str) -> impl Iterator<Item = Field> {
    text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (field, kind) = (cells.next()?.trim_matches('`'), cells.next()?.trim_matches('`'));
        (field != "field").then(|| (field.to_owned(), kind.to_owned()))
    })
}

/// The fields of a struct: the lines `name: Type,` between its opening and its closing line. In the
/// table of logged events a number stands in the one, and a sample in each of the others.
fn fields_of(name: &str) -> Vec<Field> {
    let openings = [format!("pub struct {name} {{"), format!("{name} {{")];
    let of_table = format!("{name} = 0x");
    let mut lines = SOURCES.iter().flat_map(|source| source.lines());
    let opening = lines.by_ref().map(str::trim).find(|line| {
        *line == format!("{name} {{}}")
            || openings.iter().any(|opening| line == opening)
            || line.starts_with(&of_table) && line.ends_with('{')
    });
    let opening = opening.unwrap_or_else(|| panic!("no struct {name}"));
    if opening.ends_with('}') {
        return Vec::new();
    }
    lines
        .map(str::trim)
        .take_while(|line| *line != "}")
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.trim_start_matches("pub ").trim_end_matches(',').split_once(": "))
        .map(|(field, kind)| {
            let kind = kind.split_once(" = ").map_or(kind, |(kind, _sample)| kind);
            (field.to_owned(), as_told(kind))
        })
        .collect()
}

fn as_told(kind: &str) -> String {
    if let Some(most) = kind.strip_prefix("List<u8, ") {
        return format!("bytes, at most {}", bound(most.trim_end_matches('>')));
    }
    if let Some(list) = kind.strip_prefix("List<") {
        let (item, most) = list.trim_end_matches('>').split_once(", ").expect("an item, a bound");
        return format!("list of {item}, at most {}", bound(most));
    }
    if let Some(option) = kind.strip_prefix("Option<") {
        let inner = option.trim_start_matches("Box<").trim_end_matches('>');
        return format!("option of {}", as_told(inner));
    }
    match kind.strip_prefix("[u8; ") {
        Some(length) => format!("bytes {}", length.trim_end_matches(']')),
        None => kind.replace("String", "text"),
    }
}

fn bound(name: &str) -> usize {
    match name {
        "VERSIONS_MAX" => chat_proto::limits::VERSIONS_MAX,
        "PROOF_BYTES_MAX" => chat_proto::limits::PROOF_BYTES_MAX,
        "CREDENTIALS_PER_ACCOUNT_MAX" => chat_proto::limits::CREDENTIALS_PER_ACCOUNT_MAX,
        "PAGE_ITEMS_MAX" => chat_proto::limits::PAGE_ITEMS_MAX,
        "INVITATION_ROOMS_MAX" => chat_proto::limits::INVITATION_ROOMS_MAX,
        "INVITATIONS_PAGE_MAX" => chat_proto::limits::INVITATIONS_PAGE_MAX,
        "ATTACHMENTS_MAX" => chat_proto::limits::ATTACHMENTS_MAX,
        "SANCTIONS_PAGE_MAX" => chat_proto::limits::SANCTIONS_PAGE_MAX,
        "HISTORY_GAPS_MAX" => chat_proto::limits::HISTORY_GAPS_MAX,
        "HISTORY_MESSAGES_MAX" => chat_proto::limits::HISTORY_MESSAGES_MAX,
        other => panic!("the bound {other} has no place in this test"),
    }
}
