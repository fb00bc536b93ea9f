// Adds a button to each code block that copies its text, without the prompts of terminal sessions.
for (const pre of document.querySelectorAll("div.highlight > pre")) {
  if (!navigator.clipboard) break; // only pages on https or this machine have one
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
