//! What transcoding leaves to the guest's `realloc`, seen with one that moves nothing.

use super::{Encoding, Form, Source, Step, Transcode};
use alloc::vec::Vec;

const OLD: usize = 0;
const NEW: usize = 32;

/// Transcodes, with the first room at `OLD` and what it is grown to at `NEW`; what is there then.
fn grown(form: Form, bytes: &[u8], to: Encoding) -> Vec<u8> {
    let source = Source {
        form,
        bytes: bytes.len() as u32,
    };
    let mut memory = [b'_'; 64];
    let (mut transcode, _) = Transcode::start(source, to);
    let mut ptr = OLD;
    loop {
        match transcode.resume(ptr, bytes, &mut memory) {
            Step::Room(_) => ptr = NEW,
            Step::Done { .. } => return memory[NEW..].to_vec(),
        }
    }
}

#[test]
fn what_was_stored_before_room_is_grown_is_not_stored_again() {
    let utf16: Vec<u8> = "ab\u{e9}c"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(grown(Form::Utf16, &utf16, Encoding::Utf8).starts_with("__\u{e9}c_".as_bytes()));
    let latin1 = grown(Form::Latin1, b"ab\xe9c", Encoding::Utf8);
    assert!(latin1.starts_with("__\u{e9}c_".as_bytes()));
}

#[test]
fn growing_to_utf16_widens_the_bytes_that_are_there() {
    let expected = b"_\0_\0\xac\x20c\0_";
    let utf8 = grown(
        Form::Utf8,
        "a\u{e9}\u{20ac}c".as_bytes(),
        Encoding::CompactUtf16,
    );
    assert!(utf8.starts_with(expected), "{utf8:x?}");
    let text: Vec<u8> = "a\u{e9}\u{20ac}c"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16 = grown(Form::Utf16, &text, Encoding::CompactUtf16);
    assert!(utf16.starts_with(expected), "{utf16:x?}");
}

#[test]
fn latin1_that_was_stated_as_utf16_is_shrunk_to_any_address() {
    let text = b"a\0b\0";
    let source = Source {
        form: Form::Utf16,
        bytes: 4,
    };
    let mut memory = [b'_'; 8];
    let (mut transcode, request) = Transcode::start_tagged(source, Encoding::CompactUtf16);
    assert_eq!((request.align(), request.new_size()), (2, 4));
    assert_eq!(transcode.alignment(), 2);
    let Step::Room(request) = transcode.resume(0, text, &mut memory) else {
        panic!("it is shorter than its room");
    };
    assert_eq!(
        (request.arguments()[1], request.align(), request.new_size()),
        (4, 1, 2)
    );
    assert_eq!(transcode.alignment(), 1);
    let done = transcode.resume(1, text, &mut memory);
    assert_eq!(done, Step::Done { ptr: 1, tagged: 2 });
}
