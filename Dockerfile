# AudioNet with everything it needs, ffmpeg included (imageio-ffmpeg's). Recordings and models stay outside, in /data:
#
#   docker build --tag audionet .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" audionet prepare data_audio/
FROM python:3.13-slim

WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY audionet ./audionet
RUN pip install --no-cache-dir --constraint constraints.txt .

WORKDIR /data
# Whoever runs it may have no home here.
ENV HOME=/tmp
ENTRYPOINT ["audionet"]
CMD ["--help"]
