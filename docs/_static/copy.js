// Adds a button to each block of code that copies its text, without the prompts of terminal sessions.
for (const pre of document.querySelectorAll("div.highlight > pre")) {
  if (!navigator.clipboard) break; // only pages on https or this machine have one
  // Plain text is output, or a drawing, unless it is a file with a name.
  if (pre.closest(".highlight-text") && !pre.closest(".literal-block-wrapper")) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const lines = pre.textContent.trimEnd().split("\n");
    const commands = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
    await navigator.clipboard.writeText(`${(commands.length ? commands : lines).join("\n")}\n`);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  pre.parentElement.append(button);
}
