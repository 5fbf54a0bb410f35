"""Asking back, decided: what may be asked, how questions and answers are told apart, and what is kept between rounds.

Both eras use it. It refuses to know Python types of answers, tasks and encryption. Below: `core`, `spec`, `errors`.
"""
