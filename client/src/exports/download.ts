/** Let the browser download a file; the page stays as it is, for the server sends it as one. */
export function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.hidden = true;
  document.body.append(link); // some browsers follow only what is on the page
  link.click();
  link.remove();
}
