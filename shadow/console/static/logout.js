// The button that ends the login.
document.getElementById("log-out")?.addEventListener("click", async () => {
  await fetch("/api/v1/session", { method: "DELETE" });
  location.assign("/login");
});
