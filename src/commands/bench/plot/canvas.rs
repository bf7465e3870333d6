//! Dots on a grid of characters.

/// Dots of a character: a Braille pattern has eight.
pub(super) const ACROSS: usize = 2;
pub(super) const DOWN: usize = 4;

/// The first Braille pattern, which is empty.
const EMPTY: u32 = 0x2800;
/// The bits of its dots, row by row.
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A grid of characters with dots in them.
#[derive(Debug)]
pub(super) struct Canvas {
    width: usize,
    /// The dots of each character, and who drew there last.
    cells: Vec<(u8, usize)>,
}

impl Canvas {
    /// An empty grid.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, cells: vec![(0, 0); width * height] }
    }

    /// Draws a line from one dot to another.
    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize), who: usize) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            (from as f64 + (to as f64 - from as f64) * step as f64 / steps as f64).round() as usize
        };
        for step in 0..=steps {
            let (x, y) = (between(from.0, to.0, step), between(from.1, to.1, step));
            let cell = &mut self.cells[y / DOWN * self.width + x / ACROSS];
            *cell = (cell.0 | BITS[y % DOWN][x % ACROSS], who);
        }
    }

    /// The characters of a row, each with who drew there last, if somebody did.
    pub(super) fn row(&self, row: usize, unicode: bool) -> impl Iterator<Item = (char, Option<usize>)> {
        self.cells[row * self.width..][..self.width].iter().map(move |&(dots, who)| match dots {
            0 => (' ', None),
            _ if unicode => (char::from_u32(EMPTY + u32::from(dots)).unwrap_or('*'), Some(who)),
            _ => ('*', Some(who)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Canvas;

    #[test]
    fn lines() {
        let mut canvas = Canvas::new(3, 2);
        canvas.line((0, 7), (5, 0), 7);
        let text = |row, unicode| canvas.row(row, unicode).map(|(c, _)| c).collect::<String>();
        assert_eq!((text(0, true), text(1, true)), (" ⢀⠎".to_owned(), "⡰⠁ ".to_owned()));
        assert_eq!((text(0, false), text(1, false)), (" **".to_owned(), "** ".to_owned()));
        assert_eq!(canvas.row(1, true).map(|(_, who)| who).collect::<Vec<_>>(), [Some(7), Some(7), None]);
    }
}
