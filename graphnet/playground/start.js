// Begin: the page is read, and whoever is curious finds the app in the console as `playground`.
{
  const root = document.querySelector(".graphnet-playground");
  root.classList.add("live");
  window.playground = new App(root, JSON.parse(root.querySelector("script.data").textContent));
}
