//! Numbers that look random and are the same in each run of a seed.

/// A generator (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// Begins with the seed of this run and a name.
    pub fn new(name: &str) -> Self {
        let seed = std::env::var("SEKISHO_FUZZ_SEED").map_or(1, |seed| seed.parse().unwrap());
        Self(name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit, which is above 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit as u64).unwrap()
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A range inside of a length, short more often than long.
    pub fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = [1, 4, 16, length][self.below(4)].min(length - start);
        start..start + self.below(longest + 1)
    }
}
