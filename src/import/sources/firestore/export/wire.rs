//! The parts of the protocol buffers' wire format that exports use, groups
//! included (<https://protobuf.dev/programming-guides/encoding/>).

/// How deep groups may lie in one another; those of an export do two levels.
const MAX_GROUPS: usize = 16;

/// The longest varint: 64 bits in sevens.
const MAX_VARINT_BYTES: usize = 10;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A field goes on past the end of the message.
    #[error("a field ends too early")]
    Truncated,
    /// A number of more than 64 bits.
    #[error("a number is too long")]
    Varint,
    /// A field number or wire type that there is not.
    #[error("a field has an unknown wire type or number")]
    Tag,
    /// A group ends that did not begin, or the other way round, or groups lie
    /// too deep.
    #[error("its groups do not match, or lie too deep")]
    Group,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// The fields between the beginning of a group and its end.
    Group(&'a [u8]),
    Fixed32,
}

impl<'a> Wire<'a> {
    pub(super) fn varint(self) -> Result<u64, WireError> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn fixed64(self) -> Result<u64, WireError> {
        match self {
            Self::Fixed64(bits) => Ok(bits),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], WireError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn group(self) -> Result<&'a [u8], WireError> {
        match self {
            Self::Group(fields) => Ok(fields),
            _ => Err(WireError::Tag),
        }
    }
}

/// One field of a message: its number and what it holds.
pub(super) type Field<'a> = (u64, Wire<'a>);

/// The fields of a message, up to the first that is none.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// A tag with what follows it, groups not yet put together.
enum Part<'a> {
    Whole(Wire<'a>),
    StartGroup,
    EndGroup,
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<Field<'a>, WireError> {
        let (number, part) = self.part()?;
        match part {
            Part::Whole(wire) => Ok((number, wire)),
            Part::StartGroup => Ok((number, Wire::Group(self.group(number)?))),
            Part::EndGroup => Err(WireError::Group),
        }
    }

    fn part(&mut self) -> Result<(u64, Part<'a>), WireError> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(WireError::Tag);
        }
        let part = match tag & 7 {
            0 => Part::Whole(Wire::Varint(self.varint()?)),
            1 => Part::Whole(Wire::Fixed64(u64::from_le_bytes(self.array()?))),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| WireError::Truncated)?;
                Part::Whole(Wire::Bytes(self.take(length)?))
            }
            3 => Part::StartGroup,
            4 => Part::EndGroup,
            5 => {
                self.array::<4>()?;
                Part::Whole(Wire::Fixed32)
            }
            _ => return Err(WireError::Tag),
        };
        Ok((number, part))
    }

    /// The fields up to the end of the group that has just begun.
    fn group(&mut self, number: u64) -> Result<&'a [u8], WireError> {
        let start = self.rest;
        let mut open = vec![number];
        loop {
            let before = self.rest.len();
            match self.part()? {
                (_, Part::Whole(_)) => {}
                (number, Part::StartGroup) if open.len() < MAX_GROUPS => open.push(number),
                (_, Part::StartGroup) => return Err(WireError::Group),
                (number, Part::EndGroup) => {
                    if open.pop() != Some(number) {
                        return Err(WireError::Group);
                    }
                    if open.is_empty() {
                        let length = start.len() - before;
                        return start.get(..length).ok_or(WireError::Truncated);
                    }
                }
            }
        }
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for (index, byte) in self.rest.iter().take(MAX_VARINT_BYTES).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if index == MAX_VARINT_BYTES - 1 && bits > 1 {
                return Err(WireError::Varint);
            }
            number |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index + 1)?;
                return Ok(number);
            }
        }
        Err(if self.rest.len() < MAX_VARINT_BYTES {
            WireError::Truncated
        } else {
            WireError::Varint
        })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}
