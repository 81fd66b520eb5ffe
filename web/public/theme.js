// Runs before the first paint, so that a dark screen never flashes white.
(function () {
  var choice = null
  try { choice = localStorage.getItem('zg.theme') } catch (e) { /* storage refused: follow the system */ }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light'
})()
