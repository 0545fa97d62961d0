use super::*;

const MAX: usize = TEXT_BYTES_MAX;

fn cut(input: &[u8], shape: Shape) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut cutter = Cutter::new(input, shape);
    loop {
        let more = cutter.next_unit(&mut |text| texts.push(text)).unwrap();
        if !more || !shape.by_line {
            return texts;
        }
    }
}

fn whole(too_long: TooLong) -> Shape {
    Shape { by_line: false, too_long, lossy: false }
}

fn lines(too_long: TooLong) -> Shape {
    Shape { by_line: true, too_long, lossy: false }
}

fn texts(input: &[u8], shape: Shape) -> Vec<String> {
    cut(input, shape).into_iter().map(|text| text.unwrap()).collect()
}

#[test]
fn the_longest_line_is_read_and_a_longer_one_is_skipped_whole() {
    for line_break in ["\n", "\r\n"] {
        let longest = "x".repeat(MAX);
        let input =
            format!("{longest}{line_break}{longest}x{line_break}{longest}{longest}{longest}\nb");
        let lines = cut(input.as_bytes(), lines(TooLong::Refuse));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], Ok(longest));
        assert!(lines[1].is_err() && lines[2].is_err());
        assert_eq!(lines[3], Ok("b".to_owned()));
    }
}

#[test]
fn a_line_that_is_no_text_harms_no_other() {
    let read = cut(b"a\n\xff\nb\n", lines(TooLong::Refuse));
    assert!(read[0].is_ok() && read[1].is_err() && read[2].is_ok());
    let shape = Shape { lossy: true, ..lines(TooLong::Refuse) };
    assert_eq!(texts(b"a\n\xff\0\xe2\x82\nb\n", shape), ["a", "\u{FFFD}\u{FFFD}\u{FFFD}", "b"]);
}

#[test]
fn a_whole_text_loses_one_line_break() {
    assert_eq!(texts(b"a\n\n", whole(TooLong::Refuse)), ["a\n"]);
    assert_eq!(texts(b"a", whole(TooLong::Refuse)), ["a"]);
    assert_eq!(texts(b"", whole(TooLong::Split)), [""]);
    assert!(cut(b"\xff", whole(TooLong::Refuse))[0].is_err());
    let endless = vec![b'x'; 1 << 20];
    assert!(cut(&endless, whole(TooLong::Refuse))[0].is_err());
}

#[test]
fn a_long_text_is_split_between_lines_and_nothing_is_missing() {
    let input: String = (0..20_000).map(|n| format!("line {n} of a log\n")).collect();
    let pieces = texts(input.as_bytes(), whole(TooLong::Split));
    assert!(pieces.len() > 10);
    assert!(pieces.iter().all(|piece| piece.len() <= MAX && piece.ends_with("of a log")));
    assert_eq!(pieces.join("\n") + "\n", input);
}

#[test]
fn a_long_line_is_split_between_clusters() {
    let family = "👨‍👩‍👧‍👦";
    let input = format!("x{}\nshort\n", family.repeat(3000));
    let pieces = texts(input.as_bytes(), lines(TooLong::Split));
    let (last, long) = pieces.split_last().unwrap();
    assert_eq!(last, "short");
    assert_eq!(long.concat(), input.lines().next().unwrap());
    assert!(long.len() >= 5);
    assert!(long.iter().skip(1).all(|piece| piece.starts_with(family)));
    assert!(long.iter().all(|piece| piece.len() <= MAX && piece.ends_with(family)));
}

#[test]
fn how_the_bytes_arrive_changes_no_piece() {
    let input = format!("é{}\n{}", "ab\u{301}".repeat(20_000), "\n".repeat(40_000));
    let together = texts(input.as_bytes(), whole(TooLong::Split));
    assert!(together.iter().all(|piece| !piece.is_empty() && piece.len() <= MAX));
    for step in [1, 7, 4096] {
        let reader = io::BufReader::with_capacity(step, input.as_bytes());
        let mut pieces = Vec::new();
        Cutter::new(reader, whole(TooLong::Split))
            .next_unit(&mut |text| pieces.push(text.unwrap()))
            .unwrap();
        assert_eq!(pieces, together);
    }
}

#[test]
fn a_text_that_is_cut_says_so_and_fits() {
    for length in [MAX + 1, 3 * MAX, 10 * MAX] {
        let text = "é".repeat(length / 2 + 1);
        let cut = texts(text.as_bytes(), whole(TooLong::Truncate));
        assert_eq!(cut.len(), 1);
        assert!(cut[0].len() <= MAX);
        let mark = format!("of {} bytes]", text.len());
        assert!(cut[0].starts_with('é') && cut[0].ends_with(&mark), "{}", &cut[0][MAX - 200..]);
    }
    assert_eq!(texts(b"short\n", whole(TooLong::Truncate)), ["short"]);
}

#[test]
fn a_cluster_without_an_end_is_cut_between_characters() {
    let zalgo = format!("a{}", "\u{301}".repeat(20_000));
    let pieces = texts(zalgo.as_bytes(), whole(TooLong::Split));
    assert!(pieces.iter().all(|piece| piece.len() <= MAX));
    assert_eq!(pieces.concat(), zalgo);
}
