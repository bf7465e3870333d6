//! Names and types of an expression, checked before any record is looked at.

use crate::model::{Field, Member, Type, nearest};
use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

/// A mistake, and the node of the expression that it is in.
pub(super) struct Fault {
    pub(super) id: Option<u64>,
    pub(super) message: String,
}

/// What a part of an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Text,
    Integer,
    Number,
    Bool,
    List,
    /// A list of records with these names.
    Records(&'static [Member]),
    /// One of them.
    Record(&'static [Member]),
    /// Known only in evaluation.
    Any,
}

impl Class {
    fn of(ty: Type) -> Self {
        match ty {
            Type::String | Type::Address => Self::Text,
            Type::Integer | Type::Size => Self::Integer,
            Type::Number | Type::Duration => Self::Number,
            Type::Bool => Self::Bool,
            Type::List | Type::Records => Self::List,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Bool => "a condition",
            Self::List | Self::Records(_) => "a list",
            Self::Record(_) => "a record",
            Self::Any => "anything",
        }
    }

    fn compares(self, other: Self) -> bool {
        let number = |c| matches!(c, Self::Integer | Self::Number);
        self == Self::Any
            || other == Self::Any
            || self == other
            || (number(self) && number(other))
            || (self.is_list() && other.is_list())
    }

    fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Records(_))
    }

    /// What one of its elements is.
    fn element(self) -> Self {
        match self {
            Self::Records(members) => Self::Record(members),
            _ => Self::Any,
        }
    }
}

/// Functions and methods beside the operators.
const FUNCTIONS: &[&str] =
    &["contains", "double", "endsWith", "int", "matches", "size", "startsWith", "string", "uint"];

struct Checker<'f> {
    fields: &'f [&'static Field],
    used: Vec<&'static str>,
    /// Names that macros such as `exists` bind, and what they stand for.
    locals: Vec<(String, Class)>,
}

/// Checks a program; gives the names of the fields that it uses.
pub(super) fn check(program: &Program, fields: &[&'static Field]) -> Result<Vec<&'static str>, Fault> {
    let mut checker = Checker { fields, used: Vec::new(), locals: Vec::new() };
    let root = program.expression();
    match checker.class(root)? {
        Class::Bool | Class::Any => Ok(checker.used),
        other => fault(root, format!("the expression is {}, not a condition", other.word())),
    }
}

fn fault<T>(at: &IdedExpr, message: String) -> Result<T, Fault> {
    Err(Fault { id: Some(at.id), message })
}

impl Checker<'_> {
    fn class(&mut self, node: &IdedExpr) -> Result<Class, Fault> {
        match &node.expr {
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => {
                if let Expr::Ident(object) = &select.operand.expr
                    && self.local(object).is_none()
                {
                    let class = self.field(&select.operand, &format!("{object}.{}", select.field))?;
                    return Ok(if select.test { Class::Bool } else { class });
                }
                let object = self.class(&select.operand)?;
                let class = self.member(&select.operand, object, &select.field)?;
                Ok(if select.test { Class::Bool } else { class })
            }
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(_) => Class::Bool,
                LiteralValue::String(_) => Class::Text,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Class::Integer,
                LiteralValue::Double(_) => Class::Number,
                LiteralValue::Bytes(_) | LiteralValue::Null => Class::Any,
            }),
            Expr::List(list) => {
                for element in &list.elements {
                    self.class(element)?;
                }
                Ok(Class::List)
            }
            Expr::Call(call) => {
                let mut operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().collect();
                operands.extend(&call.args);
                self.call(node, &call.func_name, &operands)
            }
            Expr::Comprehension(c) => {
                let element = self.class(&c.iter_range)?.element();
                self.class(&c.accu_init)?;
                let before = self.locals.len();
                // Of two the first is the place in the list.
                let place = if c.iter_var2.is_some() { Class::Any } else { element };
                self.locals.push((c.iter_var.clone(), place));
                self.locals.extend(c.iter_var2.clone().map(|name| (name, element)));
                self.locals.push((c.accu_var.clone(), Class::Any));
                for part in [&c.loop_cond, &c.loop_step, &c.result] {
                    self.class(part)?;
                }
                self.locals.truncate(before);
                Ok(Class::Any)
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(e) = &entry.expr {
                        self.class(&e.key)?;
                        self.class(&e.value)?;
                    }
                }
                Ok(Class::Any)
            }
            Expr::Struct(_) => fault(node, "messages are not part of this expression language".to_owned()),
            Expr::Unspecified => Ok(Class::Any),
        }
    }

    /// What a name stands for that a macro binds; the innermost of several.
    fn local(&self, name: &str) -> Option<Class> {
        self.locals.iter().rev().find(|(local, _)| local == name).map(|(_, class)| *class)
    }

    /// What `name` of `object` is, which is of this class.
    fn member(&self, object: &IdedExpr, class: Class, name: &str) -> Result<Class, Fault> {
        match class {
            Class::Any => Ok(Class::Any),
            Class::Record(members) => {
                if let Some((_, ty)) = members.iter().find(|(member, _)| *member == name) {
                    return Ok(Class::of(*ty));
                }
                let names: Vec<&str> = members.iter().map(|(member, _)| *member).collect();
                let near = nearest(name, names.iter().copied());
                let hint = near.map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
                let names = names.join(", ");
                fault(innermost(object), format!("these records have no '{name}', but {names}{hint}"))
            }
            class => {
                let message = format!("{} is {}, which has no '{name}'", self.text(object), class.word());
                fault(innermost(object), message)
            }
        }
    }

    fn name(&mut self, node: &IdedExpr, name: &str) -> Result<Class, Fault> {
        if let Some(class) = self.local(name) {
            return Ok(class);
        }
        let prefix = format!("{name}.");
        if !self.fields.iter().any(|f| f.name == name)
            && let Some(example) = self.fields.iter().find(|f| f.name.starts_with(&prefix))
        {
            return fault(
                node,
                format!("'{name}' is not a field by itself; its fields are as '{}'", example.name),
            );
        }
        self.field(node, name)
    }

    fn field(&mut self, node: &IdedExpr, name: &str) -> Result<Class, Fault> {
        if let Some(field) = self.fields.iter().find(|f| f.name == name) {
            self.used.push(field.name);
            return Ok(match field.members {
                [] => Class::of(field.ty),
                members => Class::Records(members),
            });
        }
        let near = nearest(name, self.fields.iter().map(|f| f.name));
        let hint = near.map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
        fault(node, format!("there is no field '{name}'{hint}"))
    }

    fn call(&mut self, node: &IdedExpr, function: &str, operands: &[&IdedExpr]) -> Result<Class, Fault> {
        let mut classes = Vec::new();
        for operand in operands {
            classes.push(self.class(operand)?);
        }
        match (function, operands, &classes[..]) {
            ("_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_", [left, right], [l, r]) => {
                if !l.compares(*r) {
                    let (left_text, right_text) = (self.text(left), self.text(right));
                    let message = format!("{left_text} is {}, but {right_text} is {}", l.word(), r.word());
                    return fault(innermost(left), message);
                }
                Ok(Class::Bool)
            }
            ("_&&_" | "_||_" | "!_", _, _) => {
                for (operand, class) in operands.iter().zip(&classes) {
                    if !matches!(class, Class::Bool | Class::Any) {
                        // Of a macro, and of no && or || that was written.
                        let made = operands.iter().any(|operand| is_made(operand));
                        let wanted = match function.trim_matches('_') {
                            _ if made => "a condition is wanted here".to_owned(),
                            sign => format!("{sign} takes conditions"),
                        };
                        let message = format!("{} is {}, but {wanted}", self.text(operand), class.word());
                        return fault(innermost(operand), message);
                    }
                }
                Ok(Class::Bool)
            }
            ("@in", [_, right], [_, class]) => {
                if !class.is_list() && *class != Class::Any {
                    let message = format!("{} is {}, but 'in' takes a list", self.text(right), class.word());
                    return fault(innermost(right), message);
                }
                Ok(Class::Bool)
            }
            ("matches" | "startsWith" | "endsWith" | "contains", [target, argument], [class, _]) => {
                if !matches!(class, Class::Text | Class::Any) {
                    let message =
                        format!("{} is {}, but {function}() takes a string", self.text(target), class.word());
                    return fault(innermost(target), message);
                }
                if let (true, Expr::Literal(LiteralValue::String(pattern))) =
                    (function == "matches", &argument.expr)
                    && let Err(e) = regex::Regex::new(pattern.inner())
                {
                    let reason = e.to_string();
                    let reason = reason.lines().last().unwrap_or_default().to_owned();
                    return fault(argument, format!("this is no regular expression: {reason}"));
                }
                Ok(Class::Bool)
            }
            ("_[_]", [object, index], [class @ Class::Record(_), _]) => match &index.expr {
                Expr::Literal(LiteralValue::String(name)) => self.member(object, *class, name.inner()),
                _ => Ok(Class::Any),
            },
            ("_[_]", _, [list, _]) => Ok(list.element()),
            ("size" | "int" | "uint", _, _) => Ok(Class::Integer),
            ("double", _, _) => Ok(Class::Number),
            ("string", _, _) => Ok(Class::Text),
            (name, _, _) if name.starts_with(['_', '@', '-']) || FUNCTIONS.contains(&name) => Ok(Class::Any),
            (name, _, _) => {
                let message = format!("there is no function '{name}'; there are {}", FUNCTIONS.join(", "));
                fault(node, message)
            }
        }
    }

    /// How the user wrote a simple operand.
    fn text(&self, node: &IdedExpr) -> String {
        match &node.expr {
            Expr::Ident(name) => name.clone(),
            Expr::Select(select) => format!("{}.{}", self.text(&select.operand), select.field),
            Expr::Literal(LiteralValue::String(s)) => format!("'{}'", s.inner()),
            Expr::Literal(LiteralValue::Int(n)) => n.inner().to_string(),
            Expr::Literal(LiteralValue::Boolean(b)) => b.inner().to_string(),
            _ => "this".to_owned(),
        }
    }
}

/// Whether it is a variable that a macro made: no name that is written begins with an @.
fn is_made(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Ident(name) if name.starts_with('@'))
}

/// Where an operand starts: the parser places a selection at its dot.
fn innermost(node: &IdedExpr) -> &IdedExpr {
    match &node.expr {
        Expr::Select(select) => innermost(&select.operand),
        _ => node,
    }
}
