//! Codes of variable length, and the numbers after them (ITU-T T.81, annex F).

/// Bits that are looked up at once.
const LOOKUP: u32 = 11;

/// A step beyond the end of a block, wherever it is taken from.
const END_OF_BLOCK: usize = 128;

/// The codes of one table.
///
/// A code stands for a byte: how many coefficients of zero come before the next one (its upper half), and how many bits of the
/// file tell that one's value (its lower half). For a first coefficient the upper half is zero.
pub(super) struct HuffmanTable {
    /// By the next bits: what a code that begins with them means.
    lookup: Box<[Entry; 1 << LOOKUP]>,
    /// For each length from 1 on: the first 16 bits beyond all codes of this length; 0 if none is so short.
    beyond: [u32; 16],
    /// For each length: what to add to a code of this length for its place among the symbols.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

/// What the next bits mean: a code with its value, and the one after it, if all of these are within the bits that are looked up.
///
/// From the lowest bits on: the bits of both, 0 if the first doesn't fit (8 bits); those of the first (8); one more than the zeros
/// before each value (8 and 8); and each value (16 and 16). If the first doesn't fit, its number of bits takes the place of its
/// value; an entry is zero if even the code is longer than what is looked up. The second has step and value 0 if it doesn't fit.
#[derive(Clone, Copy, Default)]
struct Entry(u64);

impl Entry {
    /// For a symbol of a code of `length` bits, from the bits after the code, of which `known` are.
    fn new(symbol: u8, length: u32, after: u32, known: u32) -> Self {
        let (zeros, size) = (symbol >> 4, u32::from(symbol & 15));
        let step = if symbol == 0 { END_OF_BLOCK as u64 } else { u64::from(zeros) + 1 };
        let bits = u64::from(length + size);
        let (bits_of_both, value) = match size {
            0 => (bits, 0),
            size if size > known => (0, size as i16),
            size => (bits, extended(after >> (known - size), size)),
        };
        Self(bits_of_both | bits << 8 | step << 16 | u64::from(value as u16) << 32)
    }

    /// The same with the one after it.
    fn with(self, next: Self) -> Self {
        let bits = self.bits() + next.bits();
        Self(self.0 & !255 | u64::from(bits) | (next.0 >> 16 & 255) << 24 | next.0 >> 32 << 48)
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        (self.0 & 255) as u32
    }

    #[inline(always)]
    fn bits_of_first(self) -> u32 {
        (self.0 >> 8 & 255) as u32
    }

    #[inline(always)]
    fn steps(self) -> [usize; 2] {
        [self.0 >> 16, self.0 >> 24].map(|step| (step & 255) as usize)
    }

    #[inline(always)]
    fn values(self) -> [i16; 2] {
        [self.0 >> 32, self.0 >> 48].map(|value| value as i16)
    }
}

/// The value that `size` bits stand for, from 1 on: those that begin with 0 are negative.
#[inline(always)]
fn extended(bits: u32, size: u32) -> i16 {
    let (bits, half) = (bits as i32, 1 << (size - 1));
    (if bits < half { bits + 1 - 2 * half } else { bits }) as i16
}

impl HuffmanTable {
    /// From the number of codes of each length and their symbols; `None` if they are too many.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: vec![Entry::default(); 1 << LOOKUP].try_into().ok()?,
            beyond: [0; 16],
            offsets: [0; 16],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, &count) in (1..).zip(counts) {
            table.offsets[length as usize - 1] = place as i32 - code as i32;
            for &symbol in symbols.get(place..place + usize::from(count))? {
                if code >= 1 << length {
                    return None;
                }
                if let Some(known) = LOOKUP.checked_sub(length) {
                    let first = (code << known) as usize;
                    let entries = &mut table.lookup[first..first + (1 << known)];
                    for (after, entry) in (0..).zip(entries) {
                        *entry = Entry::new(symbol, length, after, known);
                    }
                }
                code += 1;
            }
            place += usize::from(count);
            table.beyond[length as usize - 1] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// The same for pairs of codes, as far as they are within the bits that are looked up.
    pub(super) fn of_pairs(mut self) -> Self {
        let single = self.lookup.clone();
        for (bits, entry) in self.lookup.iter_mut().enumerate() {
            if entry.bits() == 0 || entry.steps()[0] == END_OF_BLOCK {
                continue;
            }
            let next = single[(bits << entry.bits()) % (1 << LOOKUP)];
            if next.bits() > 0 && entry.bits() + next.bits() <= LOOKUP {
                *entry = entry.with(next);
            }
        }
        self
    }

    /// The meaning of a code that is longer than what is looked up, from the next 16 bits.
    #[cold]
    fn long(&self, next: u32) -> Option<Entry> {
        let lengths = LOOKUP + 1..=16;
        let length = lengths.into_iter().find(|&length| next < self.beyond[length as usize - 1])?;
        let place = (next >> (16 - length)) as i32 + self.offsets[length as usize - 1];
        Some(Entry::new(*self.symbols.get(usize::try_from(place).ok()?)?, length, 0, 0))
    }
}

/// The bits of a scan, without the zeros that are stuffed after 0xff. After the end there are zeros without end.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    ready: Ready,
}

/// The bits that are ready. A value, which the processor holds in registers.
#[derive(Clone, Copy, Default)]
struct Ready {
    /// The next bits, from the highest on.
    next: u64,
    /// How many they are.
    count: u32,
    /// The byte after those that are wholly ready.
    position: usize,
}

impl Ready {
    /// At least 56 bits.
    #[inline(always)]
    fn refilled(mut self, bytes: &[u8]) -> Self {
        let word = match bytes.get(self.position..).and_then(|bytes| bytes.first_chunk()) {
            Some(word) => u64::from_be_bytes(*word),
            None => last_word(bytes, self.position),
        };
        self.next |= word >> self.count;
        self.position += (63 - self.count as usize) >> 3;
        self.count |= 0b11_1000;
        self
    }

    #[inline(always)]
    fn without(mut self, bits: u32) -> Self {
        self.next <<= bits;
        self.count = self.count.wrapping_sub(bits);
        self
    }

    /// What the next bits mean, as far as they are looked up.
    #[inline(always)]
    fn entry(self, table: &HuffmanTable) -> Entry {
        table.lookup[(self.next >> (64 - LOOKUP)) as usize]
    }

    /// Any code and its value, of at most 32 bits: its step, its value, and what remains.
    #[inline(always)]
    fn symbol(self, table: &HuffmanTable) -> Option<(usize, i16, Self)> {
        let mut entry = self.entry(table);
        if entry.0 == 0 {
            entry = table.long((self.next >> 48) as u32)?;
        }
        let [mut value, _] = entry.values();
        let bits = entry.bits_of_first();
        if entry.bits() == 0 {
            let size = value as u32;
            value = extended((self.next << (bits - size) >> (64 - size)) as u32, size);
        }
        Some((entry.steps()[0], value, self.without(bits)))
    }
}

/// Less than eight bytes from `position` on, and zeros.
#[cold]
fn last_word(bytes: &[u8], position: usize) -> u64 {
    let at = |place| u64::from(bytes.get(position + place).copied().unwrap_or(0));
    (0..8).fold(0, |word, place| word << 8 | at(place))
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, ready: Ready::default() }
    }

    /// Whether bits were read that lie beyond the end.
    pub(super) fn are_overrun(&self) -> bool {
        self.ready.position * 8 - self.ready.count as usize > self.bytes.len() * 8
    }

    /// The coefficients of a block: the first, which counts from `before`, is returned, and all further ones are given to `put` with
    /// their place in the order of the file. Of zeros it gets only some, and zeros beyond the end of the block, up to 62 + 128.
    ///
    /// `None` for values beyond the end, and if no code begins like the next bits.
    #[inline(always)]
    pub(super) fn block(
        &mut self,
        [first, others]: [&HuffmanTable; 2],
        mut put: impl FnMut(usize, i16),
    ) -> Option<i16> {
        let bytes = self.bytes;
        let (_, difference, mut ready) = self.ready.refilled(bytes).symbol(first)?;
        let mut place = 0;
        'block: loop {
            ready = ready.refilled(bytes);
            // Enough bits for twice what is looked up, and then for a code of any length.
            for _ in 0..3 {
                let entry = ready.entry(others);
                if entry.bits() == 0 {
                    let (step, value, rest) = ready.symbol(others)?;
                    ready = rest;
                    place += step;
                    put(place, value);
                    if place >= 63 {
                        break 'block;
                    }
                    break;
                }
                let ([to_first, to_second], [first, second]) = (entry.steps(), entry.values());
                place += to_first;
                if place + to_second >= 63 {
                    put(place, first);
                    if place < 63 {
                        place += to_second;
                        put(place, second);
                        ready = ready.without(entry.bits());
                    } else {
                        ready = ready.without(entry.bits_of_first());
                    }
                    if place >= 63 {
                        break 'block;
                    }
                } else {
                    // In this order: without a second, both are at the same place.
                    put(place + to_second, second);
                    put(place, first);
                    place += to_second;
                    ready = ready.without(entry.bits());
                }
            }
        }
        self.ready = ready;
        (place == 63 || place >= END_OF_BLOCK).then_some(difference)
    }
}

/// The bits of a scan up to the first marker that ends it, without stuffed zeros; where each interval between restart markers
/// begins in them; and that marker. `None` if the file ends first.
pub(super) fn unstuffed(mut rest: &[u8]) -> Option<(Vec<u8>, Vec<usize>, u8)> {
    let (mut bytes, mut starts) = (Vec::with_capacity(rest.len()), vec![0]);
    loop {
        let place = memchr::memchr(0xff, rest)?;
        let (before, after) = rest.split_at(place);
        bytes.extend_from_slice(before);
        match after.get(1)? {
            0 => bytes.push(0xff),
            0xd0..=0xd7 => starts.push(bytes.len()),
            0xff => {
                rest = &after[1..];
                continue;
            }
            &marker => return Some((bytes, starts, marker)),
        }
        rest = &after[2..];
    }
}
