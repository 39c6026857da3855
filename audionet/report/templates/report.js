"use strict";
// The playhead moves with the sound; a click on a spectrogram plays from there; one sound at a time.
for (const card of document.querySelectorAll(".card")) {
  const audio = card.querySelector("audio");
  if (!audio) continue;
  const plot = card.querySelector(".plot");
  const playhead = card.querySelector(".playhead");
  const seconds = Number(plot.dataset.seconds);
  const follow = () => {
    playhead.style.left = Math.min(100, (100 * audio.currentTime) / seconds) + "%";
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    card.classList.add("heard");
    follow();
  });
  audio.addEventListener("seeked", follow);
  plot.addEventListener("click", (event) => {
    const box = plot.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * seconds;
    audio.play();
  });
}
