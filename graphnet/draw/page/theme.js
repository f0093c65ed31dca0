// Light or dark: as the page around it or the system prefers, until a button says otherwise.
function turnTheme(root) {
  root.dataset.theme = getComputedStyle(root).colorScheme === "dark" ? "light" : "dark";
}
