//! The program that the kernel runs for each fd of a task, put together here: where the members of
//! the kernel's structures lie is known only where it runs.
//!
//! It is one pass over some forty members, without a loop: for the instructions see
//! `Documentation/bpf/standardization/instruction-set.rst`, for the helpers `bpf-helpers(7)`.

use super::btf::Btf;
use super::record::{self, HEADER, LINK, at, bits};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proc) enum Wanted {
    /// All fds.
    All,
    /// Those alone that are sockets.
    Sockets,
}

/// The function of the kernel that stands for the iterator.
const TARGET: &str = "bpf_iter_task_file";

/// Every structure that is looked into.
const STRUCTURES: &[&str] = &[
    "bpf_iter__task_file",
    "bpf_iter_aux_info",
    "bpf_iter_meta",
    "fdtable",
    "file",
    "file_operations",
    "files_struct",
    "inode",
    "mount",
    "path",
    "pipe_inode_info",
    "super_block",
    "task_struct",
];

/// Helpers, by number.
const PROBE_READ_KERNEL: i32 = 113;
const SEQ_WRITE: i32 = 127;
const D_PATH: i32 = 147;

/// The stack as seen from its frame pointer, register 10: the record, and above it a place for what a
/// helper reads.
const PLACE: i32 = -8;
const RECORD: i32 = PLACE - (HEADER + LINK) as i32;

/// Registers that calls leave alone, by what is in them.
const CONTEXT: u8 = 6;
const FILE: u8 = 7;
const TASK: u8 = 8;
const INODE: u8 = 9;
const FRAME: u8 = 10;

/// Widths of loads and stores.
#[derive(Clone, Copy)]
enum Width {
    Half,
    Word,
    Double,
}

impl Width {
    fn bytes(self) -> u32 {
        match self {
            Self::Half => 2,
            Self::Word => 4,
            Self::Double => 8,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Half => 0x08,
            Self::Word => 0x00,
            Self::Double => 0x18,
        }
    }
}

use Width::{Double, Half, Word};

/// Conditions of jumps, of 64 bits against a number.
#[derive(Clone, Copy)]
enum If {
    Equal = 0x15,
    NotEqual = 0x55,
    SignedGreater = 0x65,
    SignedGreaterOrEqual = 0x75,
}

/// A program that grows.
struct Assembler<'b> {
    btf: &'b Btf<'b>,
    code: Vec<u64>,
    /// Jumps to the end.
    exits: Vec<usize>,
}

/// The program for `wanted`, and the number of the iterator that it is for; or the member that this
/// kernel does not have as it is known here.
pub(super) fn assemble(data: &[u8], wanted: Wanted) -> Result<(Vec<u64>, u32), String> {
    let btf = Btf::read(data, STRUCTURES, TARGET).ok_or("the types of the kernel cannot be read")?;
    let target = btf.function().ok_or("the kernel has no iterator over the fds of tasks")?;
    // Before Linux 6.1 it passed over the task that was asked for, and gave the fds of all.
    btf.offset("bpf_iter_aux_info", "task").ok_or("the kernel has no iterator over the fds of one task")?;
    let mut program = Assembler { btf: &btf, code: Vec::with_capacity(256), exits: Vec::new() };
    program.write(wanted)?;
    Ok((program.code, target))
}

impl Assembler<'_> {
    fn write(&mut self, wanted: Wanted) -> Result<(), String> {
        self.copy(CONTEXT, 1);
        self.follow(FILE, CONTEXT, "bpf_iter__task_file", "file")?;
        self.exit_if(If::Equal, FILE, 0);
        self.follow(TASK, CONTEXT, "bpf_iter__task_file", "task")?;
        self.exit_if(If::Equal, TASK, 0);
        self.follow(INODE, FILE, "file", "f_inode")?;
        self.follow(2, INODE, "inode", "i_sb")?;
        self.load(1, 2, Double, "super_block", "s_magic")?;
        if wanted == Wanted::Sockets {
            self.exit_if(If::NotEqual, 1, record::SOCKFS);
        }
        // Nothing that lay on the stack before is to be seen.
        for offset in (RECORD..0).step_by(8) {
            self.push(0x7a, FRAME, 0, offset, 0);
        }
        self.store(Word, at::MAGIC, 1);
        self.keep(at::DEVICE, 2, Word, "super_block", "s_dev")?;
        self.keep(at::INODE, INODE, Double, "inode", "i_ino")?;
        self.keep(at::SIZE, INODE, Double, "inode", "i_size")?;
        self.keep(at::LINKS, INODE, Word, "inode", "i_nlink")?;
        self.keep(at::RDEV, INODE, Word, "inode", "i_rdev")?;
        self.keep(at::MODE, INODE, Half, "inode", "i_mode")?;
        self.keep(at::POS, FILE, Double, "file", "f_pos")?;
        self.keep(at::FLAGS, FILE, Word, "file", "f_flags")?;
        self.keep(at::FILE_MODE, FILE, Word, "file", "f_mode")?;
        self.keep(at::FD, CONTEXT, Word, "bpf_iter__task_file", "fd")?;
        self.has_more()?;
        self.pipe()?;
        self.mount()?;
        self.close_on_exec()?;
        self.link_and_end()
    }

    /// Whether fdinfo has more than the lines that are common to all: `seq_show()` in `fs/proc/fd.c`.
    fn has_more(&mut self) -> Result<(), String> {
        self.number(2, 0);
        self.follow(1, FILE, "file", "f_op")?;
        self.load(1, 1, Double, "file_operations", "show_fdinfo")?;
        self.skip_if(If::Equal, 1, 0, 1);
        self.number(2, bits::MORE);
        // Locks, now or before.
        self.load(1, INODE, Double, "inode", "i_flctx")?;
        self.skip_if(If::Equal, 1, 0, 1);
        self.number(2, bits::MORE);
        self.store(Word, at::BITS, 2);
        Ok(())
    }

    /// How much fits into a pipe with nothing in it: `pipe_ioctl()` and `pipe_fcntl()` in `fs/pipe.c`.
    fn pipe(&mut self) -> Result<(), String> {
        self.load(1, INODE, Half, "inode", "i_mode")?;
        self.push(0x57, 1, 0, 0, libc::S_IFMT as i32);
        let start = self.code.len();
        self.skip_if(If::NotEqual, 1, libc::S_IFIFO as i32, 0);
        self.follow(3, INODE, "inode", "i_pipe")?;
        self.load(1, 3, Word, "pipe_inode_info", "head")?;
        self.load(2, 3, Word, "pipe_inode_info", "tail")?;
        // Less the other: 0 where they are the same.
        self.push(0x1f, 1, 2, 0, 0);
        let differ = self.code.len();
        self.skip_if(If::NotEqual, 1, 0, 0);
        self.keep(at::PIPE_PAGES, 3, Word, "pipe_inode_info", "max_usage")?;
        self.land(start);
        self.land(differ);
        Ok(())
    }

    /// The mount's number, which is in the structure around what the file points to.
    fn mount(&mut self) -> Result<(), String> {
        let path = self.member("file", "f_path", 16)?;
        let mnt = path + self.member("path", "mnt", 8)?;
        let id = self.member("mount", "mnt_id", 4)? - self.offset("mount", "mnt")?;
        self.push(0x79, 3, FILE, mnt, 0);
        self.push(0x07, 3, 0, 0, id);
        self.read_to(RECORD + at::MOUNT as i32, 4);
        Ok(())
    }

    /// Whether the fd's bit is set among those of the table.
    fn close_on_exec(&mut self) -> Result<(), String> {
        self.follow(3, TASK, "task_struct", "files")?;
        self.follow(3, 3, "files_struct", "fdt")?;
        self.load(3, 3, Double, "fdtable", "close_on_exec")?;
        self.load(1, CONTEXT, Word, "bpf_iter__task_file", "fd")?;
        // The word that it is in: eight bytes for 64 fds.
        self.push(0x77, 1, 0, 0, 6);
        self.push(0x67, 1, 0, 0, 3);
        self.push(0x0f, 3, 1, 0, 0);
        self.read_to(PLACE, 8);
        self.push(0x79, 1, FRAME, PLACE, 0);
        self.load(2, CONTEXT, Word, "bpf_iter__task_file", "fd")?;
        self.push(0x57, 2, 0, 0, 63);
        self.push(0x7f, 1, 2, 0, 0);
        self.push(0x57, 1, 0, 0, 1);
        self.push(0x67, 1, 0, 0, bits::CLOSE_ON_EXEC.trailing_zeros() as i32);
        self.push(0x61, 2, FRAME, RECORD + at::BITS as i32, 0);
        self.push(0x4f, 1, 2, 0, 0);
        self.store(Word, at::BITS, 1);
        Ok(())
    }

    /// What readlink would say, behind the rest; and all of it to whoever reads.
    fn link_and_end(&mut self) -> Result<(), String> {
        let path = self.member("file", "f_path", 16)?;
        self.copy(1, FILE);
        self.push(0x07, 1, 0, 0, path);
        self.copy(2, FRAME);
        self.push(0x07, 2, 0, 0, RECORD + HEADER as i32);
        self.number(3, LINK as i32);
        self.call(D_PATH);
        self.store(Word, at::LINK_LENGTH, 0);
        self.skip_if(If::SignedGreaterOrEqual, 0, 0, 1);
        self.number(0, 0);
        self.exit_if(If::SignedGreater, 0, LINK as i32);
        self.copy(3, 0);
        self.push(0x07, 3, 0, 0, HEADER as i32);
        self.copy(2, FRAME);
        self.push(0x07, 2, 0, 0, RECORD);
        self.follow(1, CONTEXT, "bpf_iter__task_file", "meta")?;
        self.follow(1, 1, "bpf_iter_meta", "seq")?;
        self.call(SEQ_WRITE);
        for exit in std::mem::take(&mut self.exits) {
            self.land(exit);
        }
        self.number(0, 0);
        self.push(0x95, 0, 0, 0, 0);
        Ok(())
    }

    fn member(&self, structure: &str, member: &str, size: u32) -> Result<i32, String> {
        self.btf
            .member(structure, member, size)
            .ok_or_else(|| format!("struct {structure} of this kernel has no {member} of {size} bytes"))
    }

    /// Where a member of any size lies that is a structure itself.
    fn offset(&self, structure: &str, member: &str) -> Result<i32, String> {
        self.btf
            .offset(structure, member)
            .ok_or_else(|| format!("struct {structure} of this kernel has no {member}"))
    }

    /// One instruction.
    fn push(&mut self, code: u8, target: u8, source: u8, offset: i32, number: i32) {
        // Little-endian: the target is in the lower half of its byte.
        let registers = u64::from(target | source << 4);
        let offset = u64::from(offset as i16 as u16);
        self.code.push(u64::from(code) | registers << 8 | offset << 16 | u64::from(number as u32) << 32);
    }

    fn copy(&mut self, target: u8, source: u8) {
        self.push(0xbf, target, source, 0, 0);
    }

    fn number(&mut self, target: u8, number: i32) {
        self.push(0xb7, target, 0, 0, number);
    }

    fn call(&mut self, helper: i32) {
        self.push(0x85, 0, 0, 0, helper);
    }

    /// Loads a member of what `source` points to.
    fn load(
        &mut self,
        target: u8,
        source: u8,
        width: Width,
        structure: &str,
        member: &str,
    ) -> Result<(), String> {
        let offset = self.member(structure, member, width.bytes())?;
        self.push(0x61 | width.code(), target, source, offset, 0);
        Ok(())
    }

    /// Loads a member that is a pointer.
    fn follow(&mut self, target: u8, source: u8, structure: &str, member: &str) -> Result<(), String> {
        self.load(target, source, Double, structure, member)
    }

    /// Stores a register in the record.
    fn store(&mut self, width: Width, place: usize, source: u8) {
        self.push(0x63 | width.code(), FRAME, source, RECORD + place as i32, 0);
    }

    /// Copies a member into the record.
    fn keep(
        &mut self,
        place: usize,
        source: u8,
        width: Width,
        structure: &str,
        member: &str,
    ) -> Result<(), String> {
        self.load(1, source, width, structure, member)?;
        // What is narrower than a word takes one.
        self.store(if width.bytes() == 8 { Double } else { Word }, place, 1);
        Ok(())
    }

    /// Reads bytes of the kernel, from where register 3 says, to a place on the stack. What cannot be
    /// read is 0.
    fn read_to(&mut self, place: i32, size: i32) {
        self.copy(1, FRAME);
        self.push(0x07, 1, 0, 0, place);
        self.number(2, size);
        self.call(PROBE_READ_KERNEL);
    }

    fn skip_if(&mut self, condition: If, register: u8, number: i32, instructions: i32) {
        self.push(condition as u8, register, 0, instructions, number);
    }

    fn exit_if(&mut self, condition: If, register: u8, number: i32) {
        self.exits.push(self.code.len());
        self.skip_if(condition, register, number, 0);
    }

    /// Has an earlier jump lead to here.
    fn land(&mut self, jump: usize) {
        let distance = self.code.len() - jump - 1;
        self.code[jump] |= (distance as u64 & 0xffff) << 16;
    }
}
