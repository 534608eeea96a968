//! Images whose bytes are changed: what an enemy who knows the format can do.

/// Where the hash of an image stands.
pub const HASH_AT: usize = 40;

/// Writes the hash that an image with these bytes has: see `docs/image-format.md`.
pub fn rehash(image: &mut [u8]) {
    let mut hash = image.len() as u64;
    let mut mix = |word: u64| {
        hash = (hash ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    };
    let (words, rest) = image.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        if at * 8 != HASH_AT {
            mix(u64::from_le_bytes(*word));
        }
    }
    rest.iter().for_each(|byte| mix((*byte).into()));
    if let Some(place) = image.get_mut(HASH_AT..HASH_AT + 8) {
        place.copy_from_slice(&hash.to_le_bytes());
    }
}
