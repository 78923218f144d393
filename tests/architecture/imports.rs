//! Import graph of the source files, with re-exports resolved to the file that
//! defines the item.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, UseTree, Visibility};

/// Path of a module from the crate's root, which is the empty path.
type ModulePath = Vec<String>;

/// Recursion limit for re-exports that lead in circles.
const MAX_REEXPORTS: usize = 32;

/// Source files of a crate, by module.
pub struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

/// A source file.
struct Module {
    /// Relative to the source folder.
    file: PathBuf,
    children: BTreeSet<String>,
    definitions: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths in code and in macros, by segment.
    paths: Vec<Vec<String>>,
}

/// One name that a `use` brings into scope.
struct Import {
    /// Name in scope; `*` for all names of a module.
    name: String,
    path: Vec<String>,
    is_reexport: bool,
}

/// Target of a path.
enum Target {
    Module(ModulePath),
    /// An item, by the module that defines it.
    Item(ModulePath),
}

impl Crate {
    /// Parses every file under `root`, without code that only tests compile.
    pub fn parse(root: &Path) -> Self {
        let mut modules: BTreeMap<ModulePath, Module> = rust_files(root)
            .into_iter()
            .map(|(file, text)| {
                let syntax = syn::parse_file(&text).unwrap();
                (module_path(&file), Module::new(file, syntax))
            })
            .collect();
        // Modules that only tests declare do not belong to the crate.
        let declared: BTreeSet<ModulePath> = modules
            .iter()
            .flat_map(|(path, module)| {
                let child = |name: &String| [&**path, std::slice::from_ref(name)].concat();
                module.children.iter().map(child).collect::<Vec<_>>()
            })
            .collect();
        modules.retain(|path, _| path.is_empty() || declared.contains(path));
        Self { modules }
    }

    /// Files that each file names items of.
    pub fn arrows(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let mut arrows = BTreeMap::new();
        for (path, module) in &self.modules {
            let imports = module.imports.iter().filter(|import| !import.is_reexport);
            let targets: BTreeSet<&Path> = imports
                .map(|import| &import.path)
                .chain(&module.paths)
                .filter_map(|segments| match self.resolve(path, segments, 0)? {
                    Target::Item(owner) => Some(&*self.modules[&owner].file),
                    Target::Module(_) => None,
                })
                .filter(|target| *target != module.file)
                .collect();
            arrows.insert(&*module.file, targets);
        }
        arrows
    }

    /// Finds the target of a path that stands in `module`, if it is in this crate.
    fn resolve(&self, module: &ModulePath, segments: &[String], depth: usize) -> Option<Target> {
        if depth > MAX_REEXPORTS {
            return None;
        }
        let (first, rest) = segments.split_first()?;
        match &**first {
            "crate" => self.descend(Vec::new(), rest, depth),
            "self" => self.descend(module.clone(), rest, depth),
            "super" => self.descend(module.split_last()?.1.to_vec(), rest, depth),
            _ => {
                let here = &self.modules[module];
                let is_in_scope = here.children.contains(first)
                    || here.definitions.contains(first)
                    || here.imports.iter().any(|import| import.name == *first);
                if is_in_scope {
                    self.descend(module.clone(), segments, depth)
                } else {
                    None
                }
            }
        }
    }

    fn descend(&self, module: ModulePath, segments: &[String], depth: usize) -> Option<Target> {
        let Some((first, rest)) = segments.split_first() else {
            return Some(Target::Module(module));
        };
        let here = self.modules.get(&module)?;
        if first == "super" {
            return self.descend(module.split_last()?.1.to_vec(), rest, depth);
        }
        if here.children.contains(first) {
            let child = [&*module, std::slice::from_ref(first)].concat();
            if self.modules.contains_key(&child) {
                return self.descend(child, rest, depth);
            }
        }
        if first == "*" || here.definitions.contains(first) {
            return Some(Target::Item(module));
        }
        for import in here.imports.iter().filter(|import| import.name == *first) {
            // A `use` of a name cannot refer to itself.
            if import.path.first() == Some(first) && import.path.len() == 1 {
                continue;
            }
            return match self.resolve(&module, &import.path, depth + 1)? {
                Target::Module(target) => self.descend(target, rest, depth + 1),
                item @ Target::Item(_) => Some(item),
            };
        }
        for import in here.imports.iter().filter(|import| import.name == "*") {
            let all = &import.path[..import.path.len() - 1];
            if let Some(Target::Module(target)) = self.resolve(&module, all, depth + 1)
                && let Some(found) = self.descend(target, segments, depth + 1)
            {
                return Some(found);
            }
        }
        None
    }
}

impl Module {
    fn new(file: PathBuf, syntax: syn::File) -> Self {
        let mut module = Self {
            file,
            children: BTreeSet::new(),
            definitions: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
        };
        for item in &syntax.items {
            module.define(item);
        }
        module.visit_file(&syntax);
        module
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Macro(item) => match &item.ident {
                Some(name) => name,
                None => return,
            },
            Item::Mod(item) if is_for_tests(&item.attrs) => return,
            Item::Mod(item) => {
                if item.content.is_none() {
                    self.children.insert(item.ident.to_string());
                    return;
                }
                &item.ident
            }
            _ => return,
        };
        self.definitions.insert(name.to_string());
    }

    fn add_imports(&mut self, tree: &UseTree, prefix: &[String], is_reexport: bool) {
        let mut add = |name: String, last: String| {
            let is_itself = last == "self";
            let path = if is_itself {
                prefix.to_vec()
            } else {
                [prefix, &[last]].concat()
            };
            let name = if is_itself && name == "self" {
                prefix.last().cloned().unwrap_or_default()
            } else {
                name
            };
            self.imports.push(Import {
                name,
                path,
                is_reexport,
            });
        };
        match tree {
            UseTree::Path(path) => {
                let prefix = [prefix, &[path.ident.to_string()]].concat();
                self.add_imports(&path.tree, &prefix, is_reexport);
            }
            UseTree::Name(name) => add(name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(rename) => add(rename.rename.to_string(), rename.ident.to_string()),
            UseTree::Glob(_) => add("*".to_owned(), "*".to_owned()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_imports(tree, prefix, is_reexport);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.add_imports(&item.tree, &[], is_reexport);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.paths
            .push(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_call: &'ast Macro) {
        // Tokens of a macro are no syntax tree: a path is words between `::`.
        let tokens = macro_call.tokens.to_string().replace(" :: ", "::");
        let is_of_path = |c: char| c.is_alphanumeric() || "_:".contains(c);
        let words = tokens.split(|c| !is_of_path(c));
        for word in words.filter(|word| word.contains("::")) {
            self.paths
                .push(word.split("::").map(str::to_owned).collect());
        }
        visit::visit_macro(self, macro_call);
    }
}

/// Reads every Rust file under `root`; paths are relative to it.
pub fn rust_files(root: &Path) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root).unwrap().to_owned();
                files.push((file, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// Path of the module that a source file holds.
fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath = file
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if path.last().is_some_and(|last| last == "mod") || path == ["lib"] {
        path.pop();
    }
    path
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// Groups of nodes that reach each other, by Tarjan's algorithm; a node on no
/// cycle is in none.
pub fn cycles<'a>(arrows: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> Vec<Vec<&'a Path>> {
    let mut search = Tarjan {
        arrows,
        indices: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        components: Vec::new(),
    };
    for node in arrows.keys() {
        if !search.indices.contains_key(node) {
            search.visit(node);
        }
    }
    search.components
}

struct Tarjan<'a, 'b> {
    arrows: &'b BTreeMap<&'a Path, BTreeSet<&'a Path>>,
    indices: BTreeMap<&'a Path, usize>,
    low: BTreeMap<&'a Path, usize>,
    stack: Vec<&'a Path>,
    components: Vec<Vec<&'a Path>>,
}

impl<'a> Tarjan<'a, '_> {
    fn visit(&mut self, node: &'a Path) {
        let index = self.indices.len();
        self.indices.insert(node, index);
        self.low.insert(node, index);
        self.stack.push(node);
        for &next in &self.arrows[node] {
            if !self.indices.contains_key(next) {
                self.visit(next);
                self.low.insert(node, self.low[node].min(self.low[next]));
            } else if self.stack.contains(&next) {
                self.low
                    .insert(node, self.low[node].min(self.indices[next]));
            }
        }
        if self.low[node] == index {
            let start = self.stack.iter().position(|&other| other == node).unwrap();
            let component = self.stack.split_off(start);
            if component.len() > 1 {
                self.components.push(component);
            }
        }
    }
}
