//! How an accepted request lies in the intake: bound to its place, so that nothing else is ever taken for it.

/// What every frame begins with, the schema of its request last: where a frame cannot be read, the next one is found by it.
const MAGIC: [u8; 4] = [0xac, b'r', b'q', 1];
const _: () = assert!(super::super::codec::SCHEMA == 1, "another schema has another mark, and both are read");
/// Magic, length, begin of the batch, checksum.
pub const HEADER: usize = 20;
/// The most that a frame may hold, in bytes.
pub const LIMIT: usize = super::super::codec::LIMIT;

/// A frame that was found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The JSON of the request.
    pub body: &'a [u8],
    /// Where the frames begin that reached the disk together with this one.
    pub batch: u64,
    /// Where the next frame begins.
    pub end: u64,
}

fn checksum(file: u64, at: u64, batch: u64, body: &[u8]) -> u32 {
    let parts: [&[u8]; 4] = [&file.to_be_bytes(), &at.to_be_bytes(), &batch.to_be_bytes(), body];
    parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part))
}

fn advanced(at: u64, by: usize) -> u64 {
    at.saturating_add(u64::try_from(by).unwrap_or(u64::MAX))
}

/// Puts a frame behind others that are to be written together at `batch`.
pub fn put(buffer: &mut Vec<u8>, file: u64, batch: u64, body: &[u8]) {
    let at = advanced(batch, buffer.len());
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    buffer.extend_from_slice(&batch.to_be_bytes());
    buffer.extend_from_slice(&checksum(file, at, batch, body).to_be_bytes());
    buffer.extend_from_slice(body);
}

/// The frame at the beginning of `bytes`, which lie at `at` in the file; `None`: there is none that is whole.
pub fn read(bytes: &[u8], file: u64, at: u64) -> Option<Frame<'_>> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [m0, m1, m2, m3, l0, l1, l2, l3, batch @ .., c0, c1, c2, c3] = *header;
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok().filter(|length| *length <= LIMIT)?;
    let (body, batch) = (rest.get(..length)?, u64::from_be_bytes(batch));
    let whole = [m0, m1, m2, m3] == MAGIC && batch <= at && checksum(file, at, batch, body) == u32::from_be_bytes([c0, c1, c2, c3]);
    whole.then(|| Frame { body, batch, end: advanced(at, HEADER.saturating_add(length)) })
}

/// Whether behind a frame that cannot be read there is one that reached the disk after it: then it was whole once, for only
/// the last batch can have been cut off by a power cut.
pub fn was_whole(bytes: &[u8], file: u64, at: u64) -> bool {
    let places = bytes.windows(MAGIC.len()).enumerate().skip(1).filter(|(_, four)| *four == MAGIC);
    places.filter_map(|(place, _)| read(bytes.get(place..)?, file, advanced(at, place))).any(|frame| frame.batch > at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batch_of(bodies: &[Vec<u8>], file: u64, at: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        bodies.iter().for_each(|body| put(&mut bytes, file, at, body));
        bytes
    }

    #[test]
    fn a_frame_belongs_to_its_file_and_place() {
        let bytes = batch_of(&[b"{}".to_vec()], 3, 100);
        let frame = read(&bytes, 3, 100).unwrap();
        assert_eq!((frame.body, frame.batch, frame.end), (b"{}".as_slice(), 100, 100 + 22));
        assert_eq!(read(&bytes, 4, 100), None);
        assert_eq!(read(&bytes, 3, 101), None);
        assert_eq!(read(&bytes[..21], 3, 100), None);
    }

    proptest! {
        #[test]
        fn what_is_put_is_read_and_a_flipped_bit_is_seen(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let mut bytes = batch_of(&bodies, 1, 0);
            let (mut place, mut found) = (0, Vec::new());
            while let Some(frame) = read(&bytes[usize::try_from(place).unwrap()..], 1, place) {
                found.push(frame.body.to_vec());
                place = frame.end;
            }
            prop_assert_eq!(&found, &bodies);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let (mut place, mut whole) = (0, 0);
            while let Some(frame) = read(&bytes[usize::try_from(place).unwrap()..], 1, place) {
                whole += 1;
                place = frame.end;
            }
            prop_assert!(whole < bodies.len());
        }

        #[test]
        fn damage_before_a_later_batch_is_no_power_cut(first in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4), bit in 0u8..8) {
            let mut bytes = batch_of(&first, 1, 0);
            let flipped = bytes.len() - 1;
            let last = bytes.len() - first.last().unwrap().len() - HEADER;
            let end = u64::try_from(bytes.len()).unwrap();
            bytes[flipped] ^= 1 << bit;
            let at = u64::try_from(last).unwrap();
            prop_assert!(!was_whole(&bytes[last..], 1, at), "the last batch can have been cut off");
            put_later(&mut bytes, end);
            prop_assert!(was_whole(&bytes[last..], 1, at), "it cannot, where another one came after it");
        }
    }

    fn put_later(bytes: &mut Vec<u8>, at: u64) {
        bytes.extend(batch_of(&[b"later".to_vec()], 1, at));
    }
}
