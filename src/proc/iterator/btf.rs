//! The types of the running kernel, as far as it takes to know where the members of some structures
//! lie: BTF, `Documentation/bpf/btf.rst`.

/// The format's first two bytes, in the byte order of the machine.
const MAGIC: u16 = 0xeb9f;
/// Bytes of what all types have: name, info, size or type.
const TYPE: usize = 12;
/// Bytes of a member of a structure.
const MEMBER: usize = 12;

const KIND_INT: u32 = 1;
const KIND_PTR: u32 = 2;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_FUNC: u32 = 12;

/// Stands for any size.
const ANY: u32 = u32::MAX;

/// All types of the kernel.
pub(super) struct Btf<'b> {
    types: &'b [u8],
    strings: &'b [u8],
    /// Where each type starts, by its number.
    starts: Vec<u32>,
    /// The structures that were asked for: which of the names, and the number.
    structures: Vec<(usize, u32)>,
    names: &'b [&'b str],
    function: Option<u32>,
}

impl<'b> Btf<'b> {
    /// Goes through all types once. Structures are known only if they are among `names`, and of the
    /// functions one.
    pub(super) fn read(data: &'b [u8], names: &'b [&'b str], function: &str) -> Option<Self> {
        if data.get(..2)? != MAGIC.to_ne_bytes() {
            return None;
        }
        let header = word(data, 4)? as usize;
        let part = |offset, length| {
            let start = header.checked_add(word(data, offset)? as usize)?;
            data.get(start..start.checked_add(word(data, length)? as usize)?)
        };
        let (types, strings) = (part(8, 12)?, part(16, 20)?);
        // Number 0 is void.
        let mut btf =
            Self { types, strings, starts: vec![u32::MAX], structures: Vec::new(), names, function: None };
        btf.starts.reserve(types.len() / 24);
        let mut at = 0;
        while at < types.len() {
            let id = btf.starts.len() as u32;
            btf.starts.push(at as u32);
            let info = word(types, at + 4)?;
            let count = info as usize & 0xffff;
            let more = match kind(info) {
                KIND_STRUCT => {
                    let name = btf.string(word(types, at)?);
                    btf.structures.extend(names.iter().position(|n| n.as_bytes() == name).map(|n| (n, id)));
                    count * MEMBER
                }
                KIND_FUNC => {
                    if btf.function.is_none() && btf.string(word(types, at)?) == function.as_bytes() {
                        btf.function = Some(id);
                    }
                    0
                }
                // Int, variable and tag.
                KIND_INT | 14 | 17 => 4,
                // Array, union, section, wide enumeration.
                3 => 12,
                KIND_UNION | 15 | 19 => count * MEMBER,
                // Enumeration, prototype of a function.
                KIND_ENUM | 13 => count * 8,
                // Pointer, forward, typedef, qualifiers, float.
                KIND_PTR | 7..=11 | 16 | 18 => 0,
                // What comes next cannot be told.
                _ => return None,
            };
            at += TYPE + more;
        }
        Some(btf)
    }

    /// The number of the function.
    pub(super) fn function(&self) -> Option<u32> {
        self.function
    }

    /// At which byte of a structure a member lies that takes `size` bytes, also if it is part of a
    /// nameless structure in it. Where several structures have the name, the first that has such a
    /// member counts.
    pub(super) fn member(&self, structure: &str, member: &str, size: u32) -> Option<i32> {
        let named = self.structures.iter().filter(|(n, _)| self.names[*n] == structure);
        named.map(|&(_, id)| id).find_map(|id| self.member_of(id, member, size, 0)).map(|at| at as i32)
    }

    /// The same of whatever size.
    pub(super) fn offset(&self, structure: &str, member: &str) -> Option<i32> {
        self.member(structure, member, ANY)
    }

    fn member_of(&self, id: u32, member: &str, size: u32, depth: u32) -> Option<u32> {
        let start = self.start(id)?;
        let info = word(self.types, start + 4)?;
        for nth in 0..info as usize & 0xffff {
            let at = start + TYPE + nth * MEMBER;
            let (name, type_, mut bits) =
                (word(self.types, at)?, word(self.types, at + 4)?, word(self.types, at + 8)?);
            if info >> 31 == 1 {
                // With bit fields in it: the upper byte is the width of one.
                if bits >> 24 != 0 {
                    continue;
                }
                bits &= 0xff_ffff;
            }
            let name = self.string(name);
            if name == member.as_bytes() {
                return (size == ANY || self.size(type_)? == size).then_some(bits / 8);
            }
            if name.is_empty() && depth < 4 {
                let inner = self.plain(type_)?;
                let is_composed = matches!(self.kind(inner)?, KIND_STRUCT | KIND_UNION);
                if let Some(within) =
                    is_composed.then(|| self.member_of(inner, member, size, depth + 1)).flatten()
                {
                    return Some(bits / 8 + within);
                }
            }
        }
        None
    }

    /// How many bytes a type takes.
    fn size(&self, id: u32) -> Option<u32> {
        let id = self.plain(id)?;
        match self.kind(id)? {
            KIND_PTR => Some(size_of::<usize>() as u32),
            KIND_INT | KIND_STRUCT | KIND_UNION | KIND_ENUM => word(self.types, self.start(id)? + 8),
            _ => None,
        }
    }

    /// The type behind names and qualifiers.
    fn plain(&self, mut id: u32) -> Option<u32> {
        for _ in 0..16 {
            match self.kind(id)? {
                // typedef, volatile, const, restrict, type tag
                8..=11 | 18 => id = word(self.types, self.start(id)? + 8)?,
                _ => return Some(id),
            }
        }
        None
    }

    fn kind(&self, id: u32) -> Option<u32> {
        word(self.types, self.start(id)? + 4).map(kind)
    }

    fn start(&self, id: u32) -> Option<usize> {
        self.starts.get(id as usize).map(|&start| start as usize)
    }

    fn string(&self, offset: u32) -> &'b [u8] {
        let rest = self.strings.get(offset as usize..).unwrap_or_default();
        &rest[..rest.iter().position(|&b| b == 0).unwrap_or(rest.len())]
    }
}

fn kind(info: u32) -> u32 {
    info >> 24 & 0x1f
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Btf;

    /// `struct { int; union { struct s2 { u16 in_a } } }`, put together by hand.
    fn sample() -> Vec<u8> {
        let strings = b"\0int\0outer\0first\0inside\0run\0";
        let (int, outer, first, inside, run) = (1u32, 5u32, 11u32, 17u32, 24u32);
        let mut types: Vec<u32> = Vec::new();
        // 1: int of 4 bytes.
        types.extend([int, 1 << 24, 4, 32]);
        // 2: a union with a member `inside` of it.
        types.extend([0, 5 << 24 | 1, 4, inside, 1, 0]);
        // 3: const of that.
        types.extend([0, 10 << 24, 2]);
        // 4: the structure, with that at byte 4.
        types.extend([outer, 4 << 24 | 2, 8, first, 1, 0, 0, 3, 32]);
        // 5: a function.
        types.extend([run, 12 << 24, 0]);
        let types: Vec<u8> = types.iter().flat_map(|w| w.to_ne_bytes()).collect();
        let mut data = vec![0; 24];
        data[..2].copy_from_slice(&super::MAGIC.to_ne_bytes());
        for (at, value) in [(4, 24), (8, 0), (12, types.len()), (16, types.len()), (20, strings.len())] {
            data[at..at + 4].copy_from_slice(&(value as u32).to_ne_bytes());
        }
        [data, types, strings.to_vec()].concat()
    }

    #[test]
    fn members_of_nameless_members_too() {
        let data = sample();
        let btf = Btf::read(&data, &["outer"], "run").unwrap();
        assert_eq!(btf.member("outer", "first", 4), Some(0));
        assert_eq!(btf.member("outer", "inside", 4), Some(4));
        assert_eq!(btf.member("outer", "inside", 8), None, "of another size");
        assert_eq!(btf.member("outer", "none", 4), None);
        assert_eq!(btf.member("inner", "first", 4), None);
        assert_eq!(btf.function(), Some(5));
    }

    #[test]
    fn what_is_cut_short_is_refused_or_lacks_something() {
        let data = sample();
        for length in 0..data.len() {
            if let Some(btf) = Btf::read(&data[..length], &["outer"], "run") {
                let _ = (btf.member("outer", "inside", 4), btf.function());
            }
        }
        assert!(Btf::read(&data[1..], &["outer"], "run").is_none());
    }
}
