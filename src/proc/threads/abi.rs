//! Whether a process is a 32-bit one, whose numbers of calls mean other calls.

use crate::model::Abi;
use crate::proc::process::ProcessDir;

/// The ABI that the program of a process was built for, from its auxiliary vector, which the kernel
/// keeps: the size of a program header is another with 32 bits. Opening the program itself might ask
/// a server that does not answer.
pub(super) fn abi_of(dir: &ProcessDir) -> Abi {
    dir.read(c"auxv").map_or(Abi::Native, |vector| abi(&vector))
}

fn abi(vector: &[u8]) -> Abi {
    const AT_PHENT: u64 = 4;
    /// The size of `Elf32_Phdr`.
    const SMALL: u64 = 32;
    /// Of `Elf64_Phdr`.
    const LARGE: u64 = 56;
    let word64 = |b: &[u8]| b.try_into().map(u64::from_ne_bytes).ok();
    let word32 = |b: &[u8]| b.try_into().map(u32::from_ne_bytes).map(u64::from).ok();
    if entry(vector, 8, AT_PHENT, word64) == Some(LARGE) || cfg!(not(target_pointer_width = "64")) {
        Abi::Native
    } else if entry(vector, 4, AT_PHENT, word32) == Some(SMALL) {
        Abi::Bits32
    } else {
        Abi::Native
    }
}

fn entry(vector: &[u8], size: usize, key: u64, word: impl Fn(&[u8]) -> Option<u64>) -> Option<u64> {
    let mut pairs = vector.chunks_exact(2 * size).map(|pair| pair.split_at(size));
    pairs.find(|(k, _)| word(k) == Some(key)).and_then(|(_, value)| word(value))
}

#[cfg(test)]
mod tests {
    use super::abi;
    use crate::model::Abi;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn by_the_size_of_a_program_header() {
        let of64 =
            |pairs: &[[u64; 2]]| pairs.concat().iter().flat_map(|w| w.to_ne_bytes()).collect::<Vec<_>>();
        let of32 =
            |pairs: &[[u32; 2]]| pairs.concat().iter().flat_map(|w| w.to_ne_bytes()).collect::<Vec<_>>();
        assert_eq!(abi(&of64(&[[33, 0x7fff_0000_1000], [3, 0x40], [4, 56], [0, 0]])), Abi::Native);
        assert_eq!(abi(&of32(&[[32, 0xf7f0_0000], [33, 0xf7f0_0000], [4, 32], [0, 0]])), Abi::Bits32);
        assert_eq!(abi(b""), Abi::Native);
    }
}
